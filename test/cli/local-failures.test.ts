import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeState } from '../../builder/outputs/state.ts'
import { openStore } from '../../builder/store/directory.ts'
import type { CommandContext } from '../../cli/command.ts'
import { exportImage } from '../../cli/commands/export.ts'
import { flash } from '../../cli/commands/flash.ts'
import { init } from '../../cli/commands/init.ts'
import { revert } from '../../cli/commands/revert.ts'
import { status } from '../../cli/commands/status.ts'
import { unpackPrograms } from '../../cli/programs.ts'
import { runVm } from '../../cli/run-vm.ts'
import { UserError } from '../../errors.ts'
import { publicOf } from '../../images/identity/private-identity.ts'
import { publicIdentityText } from '../../images/identity/public-identity.ts'
import { CONTROL, VM } from '../../images/sets.ts'
import { formatPrivateKey, keyFromSeed } from '../../images/signature/openssh-key.ts'
import { bootDisk } from '../helpers/boot-disk.ts'
import { commandContext } from '../helpers/command-context.ts'
import { type FakeToolchain, fakeToolchain } from '../helpers/fake-toolchain.ts'
import { testHost } from '../helpers/host.ts'
import { IDENTITY } from '../helpers/small-identity.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { updateImage, writeUpdateImage } from '../helpers/update-image.ts'

const ADOPT = `SHA256:${'A'.repeat(43)}`

interface Bench {
  readonly context: CommandContext
  readonly toolchains: readonly FakeToolchain[]
  readonly keyFile: string
}

/** A project with a built image of `tiny`, and a store whose programs are scripts. */
async function bench(): Promise<Bench> {
  const directory = await tempDirectory()
  const [project, store, keys] = ['project', 'store', 'keys'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [join(project, 'images'), join(project, 'hosts'), join(keys, 'hangar'), store])
    mkdirSync(path, { recursive: true })
  mkdirSync(join(project, 'images/keyrings'))
  for (const name of ['debian.lock.json', 'keyrings/debian-archive.asc']) {
    await copyFile(join(PROJECT, 'images', name), join(project, 'images', name))
  }
  writeFileSync(join(project, 'hosts/tiny.identity.json'), publicIdentityText(publicOf(IDENTITY)))
  const keyFile = join(keys, 'hangar/ssh_key')
  writeFileSync(keyFile, formatPrivateKey(keyFromSeed(Buffer.alloc(32, 9), 'owner')), { mode: 0o600 })
  const output = join(project, 'out/tiny')
  await writeUpdateImage(output, updateImage({ name: 'new', manifest: { host: 'tiny' } }))
  await writeBootableDisk(join(output, 'tiny.img'))
  const { size, mtimeMs } = statSync(join(output, 'tiny.img'))
  await writeState(output, { 'tiny.img': { size, mtimeMs, segments: [], sha256: undefined } })
  await openStore(store)
  const toolchains = [
    fakeToolchain(store, CONTROL, ['ssh', 'ssh-keyscan', 'zstd']),
    fakeToolchain(store, VM, ['qemu-system-aarch64']),
  ]
  const env = { PATH: process.env.PATH, HOME: directory, HANGAR_STORE: store, XDG_CONFIG_HOME: keys }
  return { context: commandContext({ env, project, facts: [testHost()] }), toolchains, keyFile }
}

async function writeBootableDisk(file: string): Promise<void> {
  const selector = { 'autoboot.txt': '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n' }
  const slot = {
    'config.txt': '[all]\narm_64bit=1\nkernel=kernel_2712.img\ninitramfs initramfs.img followkernel\n',
    'cmdline.txt': 'console=ttyAMA0\n',
    ...{ 'kernel_2712.img': 'kernel', 'initramfs.img': 'initramfs' },
    ...{ 'bcm2712-rpi-5-b.dtb': 'C1', 'bcm2712d0-rpi-5-b.dtb': 'D0' },
  }
  writeFileSync(
    file,
    bootDisk([
      { label: 'selector', files: selector },
      { label: 'boot-a', files: slot },
      { label: 'boot-b', files: slot },
    ]),
  )
}

type Failing = (context: CommandContext) => Promise<unknown>
const COMMANDS: Readonly<Record<string, Failing>> = {
  status: (context) => status.run(context, ['tiny'], {}),
  'flash --no-build': (context) => flash.run(context, ['tiny'], { build: false }),
  revert: (context) => revert.run(context, ['tiny'], {}),
  'init --adopt': (context) => init.run(context, ['tiny'], { adopt: ADOPT }),
  export: (context) => exportImage.run(context, ['tiny'], { to: 'release' }),
  vm: async (context) => {
    const host = await context.hosts.load('tiny')
    await runVm({
      ...{ host, programs: await unpackPrograms(context, VM), forwards: [], disk: 'throw-away', sshKey: '/key' },
      output: join(context.project, 'out/tiny'),
      terminal: { input: new PassThrough(), output: new PassThrough() },
    })
  },
}
const OVER_SSH = ['status', 'flash --no-build', 'revert']
const ALL = Object.keys(COMMANDS)

interface LocalFailure {
  readonly prepare: (bench: Bench) => void
  /** The reason that the message must name. */
  readonly reason: RegExp
  /** The commands that the failure concerns. */
  readonly commands: readonly string[]
}

const each =
  (change: (toolchain: FakeToolchain) => void) =>
  ({ toolchains }: Bench) =>
    toolchains.forEach(change)
const script = (body: string) => each((toolchain) => toolchain.script(body))
const ssh255 = (stderr: string, reason: RegExp): LocalFailure => ({
  prepare: script(`echo '${stderr}' >&2; exit 255`),
  reason,
  commands: OVER_SSH,
})

const LOCAL_FAILURES: Readonly<Record<string, LocalFailure>> = {
  'a store that is mounted with noexec': {
    prepare: each(({ libraries, script: write }) => {
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'noexec', libraries]).status).toBe(0)
      onTestFinished(() => void spawnSync('umount', [libraries]))
      write('exit 0')
    }),
    reason: /HANGAR_STORE is on a file system mounted with noexec/,
    commands: ALL,
  },
  'a loader that does not exist': {
    prepare: each(({ loader }) => rmSync(loader)),
    reason: /ld-linux.*No such file or directory/,
    commands: ALL,
  },
  'a program that does not exist': {
    prepare: each(({ directory }) => rmSync(join(directory, 'usr/bin'), { recursive: true })),
    reason: /usr\/bin\/[a-z0-9-]+': No such file or directory/,
    commands: ALL,
  },
  'a loader without the mode for execution': {
    prepare: each(({ loader }) => chmodSync(loader, 0o644)),
    reason: /ld-linux.*Permission denied/,
    commands: ALL,
  },
  'a loader of another architecture': {
    prepare: each(({ loader }) => writeFileSync(loader, Buffer.from('7f454c460101', 'hex'))),
    reason: /ld-linux.*Exec format error/,
    commands: ALL,
  },
  'a library that does not exist': {
    prepare: script(
      `echo "$3: error while loading shared libraries: libz.so.1: cannot open shared object file: No such file or directory" >&2; exit 127`,
    ),
    reason: /libz\.so\.1: cannot open/,
    commands: ALL,
  },
  'a wrapper that ends with 126': { prepare: script('exit 126'), reason: /status 126|QEMU failed/, commands: ALL },
  'a wrapper that ends with 127': { prepare: script('exit 127'), reason: /status 127|QEMU failed/, commands: ALL },
  'a crash': { prepare: script('kill -SEGV $$'), reason: /SIGSEGV/, commands: ALL },
  'a kill for want of memory': { prepare: script('kill -KILL $$'), reason: /SIGKILL/, commands: ALL },
  'a PATH without setpriv': {
    prepare: () => {
      const path = process.env.PATH
      process.env.PATH = '/nonexistent'
      onTestFinished(() => {
        process.env.PATH = path
      })
    },
    reason: /'(setpriv|cp)': No such file or directory/,
    commands: ['vm', 'init --adopt', ...OVER_SSH],
  },
  'a user without an entry in /etc/passwd': ssh255(
    'No user exists for uid 4242',
    /user 4242 has no entry in \/etc\/passwd/,
  ),
  'a configuration that ssh refuses': ssh255(
    'command-line: line 0: Bad configuration option: x',
    /Bad configuration option/,
  ),
  'a path that ssh splits': ssh255(
    'command-line line 0: keyword controlpath extra arguments at end of line',
    /extra arguments/,
  ),
  'a path that ssh expands': ssh255('vdollar_percent_expand: unknown key %h', /unknown key %h/),
  'a file of pinned keys that ssh does not find': ssh255(
    'No ED25519 host key is known for tiny and you have requested strict checking.\nHost key verification failed.',
    /did not use the pinned host keys/,
  ),
  'a process without free file descriptors': ssh255('socket: Too many open files', /Too many open files/),
  'a local firewall': ssh255(
    'ssh: connect to host 192.0.2.10 port 22: Operation not permitted',
    /Operation not permitted/,
  ),
  'an ssh that ends without a reason': {
    prepare: script('exit 255'),
    reason: /ssh ended without a reason/,
    commands: OVER_SSH,
  },
  'an ssh with an unknown message': ssh255('something new', /ssh ended with: something new/),
  'a login key that is a directory': {
    prepare: ({ keyFile }) => {
      rmSync(keyFile)
      mkdirSync(keyFile)
    },
    reason: /it is a directory/,
    commands: OVER_SSH,
  },
}

/** Advice about host, disk and network, which a failure of this machine cannot justify. */
const FORBIDDEN =
  /write the whole disk|--disk|erase|flash|power|cable|address in hosts|another machine has|intercepts|free disk space|disk fails|--adopt/i

async function textOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  const { message, hint } = error as UserError
  expect(hint).toBeDefined()
  return `${message}\n${hint}`
}

const canMount = process.getuid?.() === 0
const cases = Object.entries(LOCAL_FAILURES).flatMap(([name, failure]) =>
  failure.commands.map((command) => ({ name, command, ...failure })),
)

describe('a failure of this machine', () => {
  it.for(cases)(
    'names the reason and suggests nothing about the host: $command with $name',
    async ({ name, command, prepare, reason }, { skip }) => {
      skip(name.includes('noexec') && !canMount, 'only root can mount a file system')
      const given = await bench()
      prepare(given)
      const text = await textOf(COMMANDS[command]?.(given.context) as Promise<unknown>)
      expect(text).toMatch(reason)
      expect(text).not.toMatch(FORBIDDEN)
    },
  )

  // Negative control: the network gives the reason, so the same commands give the advice.
  it.each([
    ['status', 'ssh: connect to host 192.0.2.10 port 22: Connection timed out', /power and network/],
    ['flash --no-build', 'ssh: connect to host 192.0.2.10 port 22: No route to host', /power and network/],
    ['revert', 'Connection reset by 192.0.2.10 port 22', /address in hosts/],
    ['init --adopt', '', /power and network/],
    ['export', 'zstd: error 70: Write error: No space left on device', /free disk space/],
  ])('is distinguished from a failure of the network or a full disk: %s', async (command, stderr, advice) => {
    const given = await bench()
    script(`echo '${stderr}' >&2; exit ${command === 'init --adopt' ? 1 : 255}`)(given)
    const text = await textOf(COMMANDS[command]?.(given.context) as Promise<unknown>)
    expect(text).toMatch(advice)
    expect(text).toMatch(FORBIDDEN)
  })
})
