import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds between samples; the shortest steps of a build take longer. */
const INTERVAL = 50

/** Peak values in bytes. */
export interface Peak {
  /** Anonymous memory of the processes. Memory that two processes share counts twice. */
  processes: number
  /** Growth of tmpfs on the whole machine, which the sandboxes use as scratch space. */
  scratch: number
}

/** Samples a process and its descendants. */
export function watchMemory(pid: number): { stop(): Peak } {
  const before = filesInMemory()
  const peak = { processes: 0, scratch: 0 }
  const timer = setInterval(() => {
    peak.processes = Math.max(peak.processes, treeMemory(pid))
    peak.scratch = Math.max(peak.scratch, filesInMemory() - before)
  }, INTERVAL)
  return {
    stop: () => {
      clearInterval(timer)
      return peak
    },
  }
}

function filesInMemory(): number {
  return Number(/^Shmem:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024
}

function treeMemory(root: number): number {
  const parents = new Map(processes().map((pid) => [pid, statusOf(pid)]))
  const isInTree = (pid: number): boolean =>
    pid === root || (parents.has(pid) && isInTree(parents.get(pid)?.parent ?? 0))
  return [...parents].reduce((sum, [pid, { memory }]) => (isInTree(pid) ? sum + memory : sum), 0)
}

function processes(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
}

function statusOf(pid: number): { parent: number; memory: number } {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
    return { parent: field('PPid'), memory: field('RssAnon') * 1024 }
  } catch {
    return { parent: 0, memory: 0 }
  }
}
