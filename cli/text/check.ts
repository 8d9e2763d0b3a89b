import { UserError } from '../../errors.ts'
import type { HostBudget } from '../../hosts/schema/budget.ts'
import { GIB, MIB } from '../../images/layout.ts'
import { formatSize } from '../../lib/format.ts'
import type { Lab } from '../../overlays/lab-facts.ts'
import { formatTable } from '../display/table.ts'

/** One table with the budget of each host. */
export function budgetsText({ facts }: Pick<Lab, 'facts'>, budgets: ReadonlyMap<string, HostBudget>): string {
  const rows = [...budgets].map(([name, budget]) => [name, ...cells(budget)])
  const hosts = rows.length === 1 ? '1 host' : `${rows.length} hosts`
  return [`lab '${facts.domain}': ${hosts}`, ...(rows.length === 0 ? [] : [formatTable([HEAD, ...rows])])].join('\n')
}

const HEAD = ['host', 'memory', 'services', 'system', 'free', 'cores', 'limits', 'disk', 'slots', 'data', 'open ports']

function cells({ memory, cores, disk, ports }: HostBudget): string[] {
  return [
    inBinary(memory.total),
    inBinary(memory.services),
    inBinary(memory.reserve),
    inBinary(memory.total - memory.services - memory.reserve),
    String(cores.total),
    String(Math.round(cores.services * 100) / 100),
    formatSize(disk.total),
    `2 × ${inBinary(disk.slot)}`,
    formatSize(disk.data),
    portsText(ports),
  ]
}

/** The ports by protocol: `tcp 22 9100, udp 53`. */
function portsText(ports: HostBudget['ports']): string {
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))].sort()
  const numbers = (of: string) => ports.flatMap(({ number, protocol }) => (protocol === of ? [number] : []))
  return protocols.map((each) => `${each} ${numbers(each).join(' ')}`).join(', ')
}

/** Memory and slots have binary units in host files: `96 MiB`, `3.3 GiB`. */
function inBinary(bytes: number): string {
  return bytes < GIB ? `${Math.round(bytes / MIB)} MiB` : `${Math.round((bytes / GIB) * 10) / 10} GiB`
}

/** One error with the message and the hint of each mistake. An error of another kind is thrown as it is. */
export function mistakesError(mistakes: readonly unknown[]): unknown {
  const other = mistakes.find((each) => !(each instanceof UserError))
  if (other !== undefined) return other
  const errors = distinct(mistakes as readonly UserError[])
  const [only, ...more] = errors
  if (more.length === 0) return only
  const lines = errors.flatMap(({ message, hint }) => [
    `  ${indented(message)}`,
    ...(hint === undefined ? [] : [`    hint: ${indented(hint)}`]),
  ])
  return new UserError('host', [`the lab has ${errors.length} mistakes`, ...lines].join('\n'), {
    hint: 'correct them, and run npm run check again',
  })
}

/** Each mistake once: all hosts report the mistakes of the lab file. */
function distinct(errors: readonly UserError[]): UserError[] {
  return [...new Map(errors.map((each) => [each.message, each])).values()]
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n    ')
}
