import { readdirSync, readFileSync } from 'node:fs'

/** Ends the CLI that the SDK has started for this process, which keeps it to itself; one that connects heeds no less. */
export function killCli(): void {
  for (const pid of cliProcesses()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** How many bytes it has written so far, to its engine and elsewhere; 0 where there is none. */
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

/** Empty where the process has ended meanwhile. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
