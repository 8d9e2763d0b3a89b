import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encryptTo, makeAgeKey } from '../../../../builder/keys/age.ts'
import type { FileTree } from '../../../../images/tree.ts'
import { secretFiles } from '../../../../overlays/secret-files.ts'
import { describeOnShells, FakeDevice, onPath, type Shell } from '../../../helpers/fake-device.ts'
import { WITH_SECRETS } from '../../../helpers/secret-service.ts'
import { withTestService } from '../../../helpers/test-service.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/secrets.sh'), 'utf8')

const { services } = withTestService(WITH_SECRETS)
const [test] = services.flatMap(({ containers }) => containers).filter(({ name }) => name === 'test')
if (test === undefined) throw new Error('the host has no container')
/** A second container, which uses one of the secrets. */
const OTHER = {
  ...test,
  name: 'other',
  environment: {},
  files: { '/key': { kind: 'secret', name: 'test-key' } },
} as const

const VALUES = {
  'test-key': '0123456789abcdef',
  'test-password': 'a "b" $c `d` \\e\nsecond line',
  'test-token': 'token=1',
}

async function newHost(shell: Shell, values: Readonly<Record<string, string>> = VALUES) {
  const device = await FakeDevice.under(shell)
  const [current, former, foreign] = [await makeAgeKey(), await makeAgeKey(), await makeAgeKey()]
  const encrypted = async (name: string, recipients = [current.recipient]) =>
    [name, await encryptTo(recipients, values[name] ?? '')] as const
  const install = (tree: FileTree) => {
    for (const [path, entry] of Object.entries(tree))
      if (entry.kind === 'file') device.write(path.slice(1), entry.content as string)
  }
  const ciphertexts = Object.fromEntries(await Promise.all(Object.keys(values).map((name) => encrypted(name))))
  install(secretFiles([OTHER, test as never], ciphertexts))
  device.write('run/identity/age/key', `${current.identity}\n`)
  device.write('run/identity/age/key.1', `${former.identity}\n`)
  device.fake('mountpoint', 'exit 1')
  const boot = () => {
    const env = { HANGAR_RUN: device.path('run'), HANGAR_LIB: device.path('usr/lib/hangar') }
    return { ...device.run(SCRIPT, { env }), failed: device.read('run/secrets-failed') }
  }
  const replace = async (name: string, key: typeof current) => {
    const [, text] = await encrypted(name, [key.recipient])
    device.write(`usr/lib/hangar/secrets/${name}.age`, text)
  }
  const there = () => readdirSync(device.path('run/secrets')).sort()
  return { device, boot, replace, there, former, foreign }
}

const AGE = onPath('age')
if (AGE === undefined) console.warn("skipped: the secrets of a host, because 'age' is not in PATH")

describe.skipIf(AGE === undefined)('on a host', () => {
  describeOnShells('decrypt-secrets', (shell) => {
    it('writes each file and variable of a container, with the texts between secrets as they are', async () => {
      const { device, boot, there } = await newHost(shell)
      const { code, failed, said } = boot()
      expect({ code, failed, said }).toEqual({ code: 0, failed: '', said: '' })
      expect(there()).toEqual(['other', 'test'])
      expect(device.read('run/secrets/test/files/etc/key')).toBe(VALUES['test-key'])
      expect(device.read('run/secrets/test/files/etc/app.conf')).toBe(
        `key = ${VALUES['test-key']}\npassword = "${VALUES['test-password']}"\n$HOME \`id\`\n`,
      )
      expect(device.read('run/secrets/test/environment')).toBe(`TOKEN=${VALUES['test-token']}\n`)
      expect(device.read('run/secrets/other/files/key')).toBe(VALUES['test-key'])
    })

    it('mounts a file system in memory that is never swapped, and gives each file to the user of its container', async () => {
      const { device, boot } = await newHost(shell)
      const { calls } = boot()
      const target = device.path('run/secrets')
      expect(calls).toContain(`mount -t tmpfs -o mode=0700,size=16M,nosuid,nodev,noexec,noswap secrets ${target}`)
      const owned = calls.filter((call) => call.startsWith('chown 106 ')).join(' ')
      for (const file of ['test/files/etc/key', 'test/files/etc/app.conf', 'other/files/key']) {
        expect(owned).toContain(`/${file.replace(/^\w+/, '.new-$&')}`)
        expect(statSync(join(target, file)).mode & 0o777).toBe(0o400)
      }
      expect(owned).not.toContain('environment')
      expect(statSync(join(target, 'test/environment')).mode & 0o077).toBe(0)
      expect(statSync(join(target, 'test')).mode & 0o777).toBe(0o700)
    })

    it('keeps a mounted file system, and decrypts again when the unit starts again', async () => {
      const { device, boot, there } = await newHost(shell)
      boot()
      device.fake('mountpoint', 'exit 0')
      const { calls, failed } = boot()
      expect(calls.filter((call) => call.startsWith('mount '))).toEqual([])
      expect([failed, there()]).toEqual(['', ['other', 'test']])
    })

    it('decrypts with every key that the host keeps, so that a reverted slot finds its key', async () => {
      const { device, boot, replace, former } = await newHost(shell)
      await replace('test-token', former)
      expect(boot().failed).toBe('')
      expect(device.read('run/secrets/test/environment')).toBe(`TOKEN=${VALUES['test-token']}\n`)
    })

    it('only the containers that use a secret lack it, and the reason is in the journal and in a file', async () => {
      const { boot, replace, there, foreign } = await newHost(shell)
      await replace('test-token', foreign)
      const { code, failed, said } = boot()
      expect([code, there()]).toEqual([0, ['other']])
      expect(failed).toMatch(
        /^test: cannot decrypt 'test-token': age: error: no identity matched any of the recipients\n$/,
      )
      expect(said).toBe(`<3>hangar: secrets: ${failed}`)
    })

    it('a secret that was good at an earlier start is removed when it cannot be decrypted any more', async () => {
      const { boot, replace, there, foreign } = await newHost(shell)
      boot()
      await replace('test-key', foreign)
      const { failed } = boot()
      expect(there()).toEqual([])
      expect(failed.split('\n').map((line) => line.split(':')[0])).toEqual(['other', 'test', ''])
    })

    it('a damaged ciphertext stops the containers that use it', async () => {
      const { device, boot, there } = await newHost(shell)
      const path = 'usr/lib/hangar/secrets/test-password.age'
      device.write(path, device.read(path).slice(0, 150))
      expect(boot().failed).toMatch(/^test: cannot decrypt 'test-password': age: error: /)
      expect(there()).toEqual(['other'])
    })

    it('a host that made its own identity says that it has no age key', async () => {
      const { device, boot, there } = await newHost(shell)
      rmSync(device.path('run/identity/age'), { recursive: true })
      expect(boot().failed).toBe(
        ['other', 'test']
          .map(
            (name) =>
              `${name}: cannot decrypt 'test-key': this host has no age key, because it made its own identity\n`,
          )
          .join(''),
      )
      expect(there()).toEqual([])
    })

    it('refuses a value with line breaks for a variable', async () => {
      const { boot, there } = await newHost(shell, { ...VALUES, 'test-token': 'one\ntwo' })
      expect(boot().failed).toBe(
        "test: the secret 'test-token' has line breaks, and the variable TOKEN cannot hold them\n",
      )
      expect(there()).toEqual(['other'])
    })

    it('fails when it cannot mount a file system in memory, and decrypts nothing', async () => {
      const { device, boot, there } = await newHost(shell)
      device.fake('mount', 'exit 32')
      const { code, said } = boot()
      expect(code).toBe(1)
      expect(said).toMatch(/^<3>hangar: secrets: cannot mount .*: the services that use secrets stay down\n$/)
      expect(there()).toEqual([])
    })

    it('keys and values are never arguments of a program, and no value is in a message', async () => {
      const { device, boot, replace, foreign } = await newHost(shell)
      const real = AGE ?? ''
      device.fake('age', `exec ${real} "$@"`)
      await replace('test-token', foreign)
      const { calls, said } = boot()
      const ages = calls.filter((call) => call.startsWith('age '))
      expect(ages.length).toBe(3)
      const everything = [...calls, said].join('\n')
      for (const value of [...Object.values(VALUES).flatMap((each) => each.split('\n')), 'AGE-SECRET-KEY-1'])
        expect(everything).not.toContain(value)
    })
  })

  it("reads what age's own program encrypts (control)", async () => {
    const key = await makeAgeKey()
    const { stdout } = spawnSync(AGE ?? '', ['--armor', '--recipient', key.recipient], {
      input: 'text',
      encoding: 'utf8',
    })
    const { decryptWith } = await import('../../../../builder/keys/age.ts')
    expect(await decryptWith(key.identity, stdout, { where: 'test', keyFile: 'test' })).toBe('text')
  })
})
