import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, it } from 'vitest'
import { tempDirectory } from './temp.ts'

/** A shell that scripts for devices run under: dash on the host, busybox's in the initramfs. */
export interface Shell {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const SHELLS = [
  { name: 'dash', program: 'dash', args: [] },
  { name: 'busybox ash', program: 'busybox', args: ['ash'] },
]

/** Runs the tests under each of the shells that this machine has, and says which one it lacks. */
export function describeOnShells(title: string, tests: (shell: Shell) => void, only = ['dash', 'busybox ash']): void {
  for (const { name, program, args } of SHELLS.filter((each) => only.includes(each.name))) {
    const found = onPath(program)
    if (found === undefined) notTested(title, name, program)
    else describe(`${title}, under ${name}`, () => tests({ name, command: [found, ...args] }))
  }
}

function notTested(title: string, name: string, program: string): void {
  console.warn(`skipped: ${title}, under ${name}, which wants '${program}' in PATH`)
  describe(`${title}, under ${name}`, () => it.skip(`there is no '${program}'`))
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
 * What must not happen to the machine that tests. busybox's shell prefers its own applets to programs in PATH: only a
 * shell function stands before those.
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
  /** What it said to the kernel's log. */
  readonly said: string
  /** Programs that only pretend, as they were called in this run: `mount -t btrfs …`. */
  readonly calls: readonly string[]
}

/** A directory that stands for a device's root, and programs that only write down that they were called. */
export class FakeDevice {
  readonly root: string
  readonly shell: Shell
  /** Name -> the exit status with which a program that never returns ends the script. */
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

  /** `body` is shell; `$FAKE_ROOT` and `$REAL_PATH` are at hand. */
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
    // No shell takes `mkfs.btrfs` as a function's name; no applet is called so either.
    const names = [...this.faked].filter(([name]) => /^\w+$/.test(name))
    return names
      .map(
        ([name, ends]) =>
          `${name}() { "${this.path(`bin/${name}`)}" "$@"${ends === undefined ? '' : `; exit ${ends}`}; }\n`,
      )
      .join('')
  }
}
