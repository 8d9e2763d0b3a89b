import { readdirSync, readFileSync } from 'node:fs'

/**
 * Kills the CLI that the SDK started, with SIGKILL. The SDK offers no way to stop it, and a CLI that is still
 * connecting ignores other signals.
 */
export function killCli(): void {
  for (const pid of cliProcesses()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ignores the error: the process has ended in the meantime.
    }
  }
}

/** The number of bytes that the CLI has written so far, to its engine and to disk; 0 if no CLI runs. */
export function bytesWritten(): number {
  return cliProcesses().reduce((sum, pid) => sum + Number(/^wchar: (\d+)/m.exec(procFile(pid, 'io'))?.[1] ?? 0), 0)
}

function cliProcesses(): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return all.map(Number).filter((pid) => parentOf(pid) === process.pid && isCli(pid))
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(procFile(pid, 'status'))?.[1])
}

function isCli(pid: number): boolean {
  return procFile(pid, 'cmdline').includes('dagger.io/sdk.name')
}

/** Returns an empty text if the process has ended in the meantime. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
