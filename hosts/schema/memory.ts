import { UserError } from '../../errors.ts'
import { MIB } from '../../images/layout.ts'
import type { HostServices } from '../../overlays/host-services.ts'

export interface MemoryBudget {
  readonly name: string
  /** The memory of the host, in bytes. */
  readonly memory: number
  /** The memory in bytes that is reserved for the system. */
  readonly reserve: number
  readonly services: HostServices
}

/**
 * Refuses memory limits whose sum exceeds the memory of the host minus the reserve. The error has a table of all
 * limits.
 */
export function checkServiceMemory({ name, memory, reserve, services }: MemoryBudget): void {
  const containers = services.services.flatMap((each) => each.containers)
  const promised = containers.reduce((sum, { limits }) => sum + limits.memory, 0)
  const available = memory - reserve
  if (promised <= available) return
  const largestFirst = [...containers].sort((a, b) => b.limits.memory - a.limits.memory)
  const table = tableOf([
    ...largestFirst.map((each) => [each.name, each.limits.memory] as const),
    ['all services', promised],
    ['reserve', reserve],
    ['memory of the host', memory],
  ])
  throw new UserError(
    'host',
    `${name}: services may use ${inMib(promised)} MiB, but only ${inMib(available)} MiB are available:\n${table}`,
    { hint: `lower 'memory' of a service in hosts/${name}.ts, or move a service to another host` },
  )
}

function tableOf(lines: readonly (readonly [title: string, bytes: number])[]): string {
  const width = Math.max(...lines.map(([title]) => title.length))
  return lines.map(([title, bytes]) => `  ${title.padEnd(width)}  ${String(inMib(bytes)).padStart(6)} MiB`).join('\n')
}

function inMib(bytes: number): number {
  return Math.round(bytes / MIB)
}
