import { readdirSync, readFileSync } from 'node:fs'

/** Ends the CLI that the SDK has started for this process, which keeps it to itself; one that connects heeds no less. */
export function killCli(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (parentOf(pid) === process.pid && isCli(pid)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function parentOf(pid: string): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function isCli(pid: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dagger.io/sdk.name')
}
