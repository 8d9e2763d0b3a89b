import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'

/** Shell code that runs before the program, and its environment variables. */
export interface Prepared {
  readonly script: string
  readonly env: Readonly<Record<string, string>>
}

// The parent process maps the ids from outside, so the program waits for the parent. It ends with the test that started it.
const SETUP = `set -eu
echo here
read -r mapped
eval "$PREPARE"
exec setpriv --pdeathsig KILL "$@"
`

/**
 * Runs a program in its own user and mount namespace, after a script that prepares them. Every id keeps its number, but root
 * has no rights outside the namespace. No other process of the machine sees the handlers and mounts of the script.
 */
export async function inUserNamespace(
  { script, env }: Prepared,
  program: string,
  args: readonly string[],
): Promise<void> {
  const child = spawn('unshare', ['--user', '--mount', 'sh', '-c', SETUP, 'user-namespace', program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env, PREPARE: script },
  })
  const ended = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), ended])
  if (child.exitCode === null) mapIds(child.pid ?? 0)
  child.stdin.end('mapped\n')
  child.stdout.pipe(process.stdout, { end: false })
  const [code] = await ended
  if (code !== 0) throw new Error(`'${[program, ...args].join(' ')}' ended with ${code} in a user namespace`)
}

/** Maps every id of this process to itself, because a root has files of many owners. */
function mapIds(pid: number): void {
  for (const map of ['uid_map', 'gid_map']) {
    const ranges = readFileSync(`/proc/self/${map}`, 'utf8').trim().split('\n')
    const same = ranges.map((range) => {
      const [inside, , count] = range.trim().split(/\s+/)
      return `${inside} ${inside} ${count}\n`
    })
    writeFileSync(`/proc/${pid}/${map}`, same.join(''))
  }
}
