import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, it } from 'vitest'
import { tempDirectory } from './temp.ts'

/** A shell that runs scripts of hosts: dash on the host, busybox ash in the initramfs. */
export interface Shell {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const SHELLS = [
  { name: 'dash', program: 'dash', args: [] },
  { name: 'busybox ash', program: 'busybox', args: ['ash'] },
]

/** Runs the tests under each shell that this machine has. Skips them for a missing shell. */
export function describeOnShells(title: string, tests: (shell: Shell) => void, only = ['dash', 'busybox ash']): void {
  for (const { name, program, args } of SHELLS.filter((each) => only.includes(each.name))) {
    const found = onPath(program)
    if (found === undefined) notTested(title, name, program)
    else describe(`${title}, under ${name}`, () => tests({ name, command: [found, ...args] }))
  }
}

function notTested(title: string, name: string, program: string): void {
  console.warn(`skipped: ${title}, under ${name}, because '${program}' is not in PATH`)
  describe(`${title}, under ${name}`, () => it.skip(`'${program}' is not in PATH`))
}

export function onPath(program: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, program))
  return places.find((path) => isExecutable(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Programs that must never run for real on the machine of the test. Shell functions call the fakes, because busybox's shell
 * prefers its own applets to programs in PATH.
 */
const ALWAYS_FAKED = [
  ...['mount', 'umount', 'insmod', 'modprobe', 'rmmod', 'switch_root', 'pivot_root', 'chroot', 'reboot', 'poweroff'],
  ...['halt', 'kill', 'sleep', 'watchdog', 'hostname', 'chown', 'swapon', 'blkdiscard', 'dmsetup', 'systemctl', 'date'],
]

export interface RunOptions {
  readonly args?: readonly string[]
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  /** Messages to the kernel log and to stderr. */
  readonly said: string
  /** Calls of fake programs in this run, as `mount -t btrfs …`. */
  readonly calls: readonly string[]
}

/** A directory as the root of a device, and fake programs that record their calls. */
export class FakeDevice {
  readonly root: string
  readonly shell: Shell
  /** Name of a fake program that never returns, such as `reboot` -> exit status of the script. */
  private readonly faked = new Map<string, number | undefined>()

  private constructor(root: string, shell: Shell) {
    this.root = root
    this.shell = shell
    for (const directory of ['bin', 'dev', 'etc']) mkdirSync(join(root, directory))
    for (const name of ALWAYS_FAKED) this.fake(name)
  }

  static async under(shell: Shell, parent?: string): Promise<FakeDevice> {
    return new FakeDevice(await tempDirectory(parent), shell)
  }

  path(path: string): string {
    return join(this.root, path)
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), content)
  }

  has(path: string): boolean {
    return existsSync(this.path(path))
  }

  read(path: string): string {
    return existsSync(this.path(path)) ? readFileSync(this.path(path), 'utf8') : ''
  }

  /** Adds a fake program. `body` is shell code that may use `$FAKE_ROOT` and `$REAL_PATH`. */
  fake(name: string, body = ':', { ends }: { readonly ends?: number } = {}): void {
    const path = this.path(`bin/${name}`)
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>"$FAKE_ROOT/calls"\n${body}\n`)
    chmodSync(path, 0o755)
    this.faked.set(name, ends)
  }

  run(script: string, { args = [], input = '', env = {} }: RunOptions = {}): Ran {
    this.write('calls', '')
    this.write('kmsg', '')
    this.write('script', this.functions() + script.replaceAll('>/dev/kmsg', `>>${this.path('kmsg')}`))
    const [program, ...first] = this.shell.command
    const { PATH = '' } = process.env
    const ended = spawnSync(program, [...first, this.path('script'), ...args], {
      cwd: this.root,
      input,
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: `${this.path('bin')}:${PATH}`, REAL_PATH: PATH, FAKE_ROOT: this.root, ...env },
    })
    const calls = this.read('calls').split('\n').filter(Boolean)
    return { code: ended.status, stdout: ended.stdout, said: this.read('kmsg') + ended.stderr, calls }
  }

  private functions(): string {
    // `mkfs.btrfs` is not a valid name of a shell function, and busybox has no applet of this name.
    const names = [...this.faked].filter(([name]) => /^\w+$/.test(name))
    return names
      .map(
        ([name, ends]) =>
          `${name}() { "${this.path(`bin/${name}`)}" "$@"${ends === undefined ? '' : `; exit ${ends}`}; }\n`,
      )
      .join('')
  }
}
