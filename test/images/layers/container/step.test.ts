import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../../errors.ts'
import { digestOf } from '../../../../images/digest.ts'
import { buildSmallContainer } from '../../../helpers/small-container.ts'
import type { SmallDeb } from '../../../helpers/small-deb.ts'

/** Unpacking and configuring essential packages takes long on a busy machine. */
const PATIENCE = 10 * 60_000

const script = (...lines: readonly string[]) => ['#!/bin/sh', 'set -e', ...lines, ''].join('\n')

const system: SmallDeb = {
  name: 'system',
  files: { 'usr/sbin/halt': 'the system', 'usr/sbin/reboot': 'the system' },
}
const guard: SmallDeb = {
  name: 'guard',
  files: { 'usr/sbin/halt': 'a guard', 'usr/sbin/reboot': 'a guard' },
  control: {
    // As molly-guard (which moves the file itself) and as most other packages.
    preinst: script(
      'dpkg -S /usr/sbin/halt >/dev/null && mv /usr/sbin/halt /usr/sbin/halt.real',
      'dpkg-divert --add --no-rename --divert /usr/sbin/halt.real /usr/sbin/halt',
      'dpkg-divert --add --rename --divert /usr/sbin/reboot.real /usr/sbin/reboot',
    ),
  },
}
const app: SmallDeb = {
  name: 'app',
  files: { 'usr/lib/app/available/usb': 'usb', 'usr/lib/app/old': 'moved', 'var/lib/app/readme': '' },
  control: {
    postinst: script(
      'mkdir -p /usr/lib/app/enabled /usr/lib/app/__pycache__',
      'ln /usr/lib/app/available/usb /usr/lib/app/enabled/usb',
      'mv /usr/lib/app/old /usr/lib/app/new',
      'echo code > /usr/lib/app/__pycache__/app.pyc',
      'update-alternatives --install /usr/bin/tool tool /usr/lib/app/available/usb 10',
      'adduser --quiet --system --group mosquitto',
      'chown mosquitto /var/lib/app',
      'awk "BEGIN { print 1 }" > /etc/app.conf',
      'echo "$(uname -n) $(umask)" > /etc/app.machine',
    ),
  },
}
const broken: SmallDeb = { name: 'broken', files: { 'etc/broken': '' }, control: { postinst: script('exit 1') } }

describe('the layer of a container', () => {
  it('has what the maintainer scripts of its packages made, and no more', { timeout: PATIENCE }, async () => {
    const files = await buildSmallContainer({ debs: [system, guard, app, broken], withoutScripts: ['broken'] })
    const text = (path: string) => files.get(path)?.sha256
    expect(text('/usr/sbin/halt')).toBe(digestOf('a guard'))
    expect(text('/usr/sbin/halt.real')).toBe(digestOf('the system'))
    expect(text('/usr/sbin/reboot.real')).toBe(digestOf('the system'))
    expect(text('/usr/lib/app/enabled/usb')).toBe(digestOf('usb'))
    expect(text('/usr/lib/app/new')).toBe(digestOf('moved'))
    expect(text('/etc/app.conf')).toBe(digestOf('1\n'))
    expect(text('/etc/app.machine')).toBe(digestOf('localhost 0022\n'))
    expect(files.get('/usr/bin/tool')).toMatchObject({ kind: 'symlink', target: '/etc/alternatives/tool' })
    expect(files.get('/etc/alternatives/tool')).toMatchObject({ target: '/usr/lib/app/available/usb' })
    expect(files.get('/var/lib/app')).toMatchObject({ uid: 120, gid: 0 })
    expect(files.has('/etc/broken')).toBe(true)
    const unwanted = ['/usr/lib/app/old', '/usr/lib/app/__pycache__', '/etc/passwd', '/var/lib/dpkg', '/usr/bin/dpkg']
    // The link is of awk, whose package is only a helper of the script.
    for (const path of [...unwanted, '/etc/alternatives/awk']) expect([path, files.has(path)]).toEqual([path, false])
  })

  it('is refused for users and groups of scripts, all in one message', { timeout: PATIENCE }, async () => {
    const added = script(
      'adduser --quiet --system --group --home /var/lib/db --shell /bin/sh db',
      'addgroup --quiet --system scanner',
    )
    const building = buildSmallContainer({ debs: [{ name: 'db', control: { postinst: added } }] })
    const error = await building.catch((each: unknown) => each)
    expect(error).toBeInstanceOf(UserError)
    expect(error).toMatchObject({
      code: 'ids',
      message:
        "cannot build 'container-app': its packages need user 'db', group 'scanner', which the id table does not have",
      hint: expect.stringMatching(
        /\n {2}user\('db', \d+, '…', '\/var\/lib\/db', '\/bin\/sh'\),\n {2}group\('scanner', \d+, '…'\),$/,
      ),
    })
  })

  it('is refused for a script that makes a random value, before any script runs', { timeout: PATIENCE }, async () => {
    const random: SmallDeb = { name: 'random', control: { postinst: script('uuidgen > /etc/id') } }
    await expect(buildSmallContainer({ debs: [random, broken] })).rejects.toMatchObject({
      code: 'carry',
      message: expect.stringMatching(
        /^cannot build 'container-app': these maintainer scripts make .*:\n {2}random: its postinst makes random values \(uuidgen\)$/,
      ),
      hint: expect.stringMatching(/^add 'random' to 'withoutScripts' of the image in overlays\/services, /),
    })
  })

  it('is refused for a private key that a script makes', { timeout: PATIENCE }, async () => {
    const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    const maker: SmallDeb = {
      name: 'maker',
      control: { postinst: script('cat >/etc/maker.key <<.', key.trimEnd(), '.') },
    }
    await expect(buildSmallContainer({ debs: [maker] })).rejects.toMatchObject({
      code: 'carry',
      message: expect.stringMatching(
        /^cannot build 'container-app': maintainer scripts made files .*:\n {2}\/etc\/maker\.key \(maker\): it is a PEM private key$/,
      ),
      hint: expect.stringMatching(
        /^add 'maker' to 'withoutScripts' of the image in overlays\/services, .*on a volume$/,
      ),
    })
  })

  it('is refused without the interpreter of its program, and names the package that has it', {
    timeout: PATIENCE,
  }, async () => {
    const building = buildSmallContainer({
      debs: [app, { name: 'program', files: { 'usr/bin/program': '#!/usr/bin/perl\n' } }],
      programs: [{ container: 'app', program: '/usr/bin/program', libraryPath: [] }],
    })
    await expect(building).rejects.toMatchObject({
      code: 'host',
      message: expect.stringContaining(
        "'/usr/bin/program' needs '/usr/bin/perl', which is missing (package 'perl-base' has it)",
      ),
      hint: expect.stringContaining("add to 'packages' of the image in overlays/services: 'perl-base'"),
    })
  })

  it('has npm packages beside what the scripts made, and their programs are checked', {
    timeout: PATIENCE,
  }, async () => {
    const red = { name: 'red', bin: { red: 'red.js' }, files: { 'red.js': '#!/usr/bin/node\n', 'lib/x.js': 'x' } }
    const control = { postinst: script('chmod 755 /usr/bin/node') }
    const node: SmallDeb = { name: 'node', files: { 'usr/bin/node': 'node' }, control }
    const start = (program: string, ...names: readonly string[]) => {
      const modules = names.map((name) => `/app/node_modules/${name}`)
      return { container: 'app', program, modules, libraryPath: [] }
    }
    const programs = [start('/app/node_modules/.bin/red'), start('/usr/bin/node', 'red/red.js', 'red/lib/x')]
    const files = await buildSmallContainer({ debs: [app, node], npm: [red], programs })
    expect(files.get('/app/node_modules/red/lib/x.js')?.sha256).toBe(digestOf('x'))
    expect(files.get('/app/node_modules/.bin/red')).toMatchObject({ kind: 'symlink', target: '../red/red.js' })
    expect(files.get('/etc/app.conf')?.sha256).toBe(digestOf('1\n'))
    const without = buildSmallContainer({ debs: [node], npm: [red], programs: [start('/usr/bin/node', 'red/blue.js')] })
    await expect(without).rejects.toMatchObject({
      code: 'host',
      message: expect.stringContaining("container 'app' needs '/app/node_modules/red/blue.js', which is missing"),
      hint: expect.stringContaining("'dependencies' in package.json of the image's folder"),
    })
  })
})
