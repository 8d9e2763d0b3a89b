import type { HostStatus } from '../../flash/host-status.ts'
import type { Command } from '../command.ts'
import { knownHost, openController } from '../controller.ts'
import { QUIET } from '../display/quiet.ts'
import { AT, JSON_OUTPUT } from '../options.ts'
import type { Generations } from '../text/generation.ts'
import { requireOneHost } from './flash.ts'

export interface StatusFlags {
  readonly json?: true
  readonly at?: string
}

export const status: Command<StatusFlags> = {
  name: 'status',
  group: 'update',
  arguments: '[host]',
  summary: 'show what hosts run and the result of the last update',
  details: [
    'Without a host, shows all hosts in a table; an unreachable host is not a failure.',
    'With a host, shows its slots, data, clock, firmware and keys, and fails if the host is unreachable.',
  ],
  options: [{ ...JSON_OUTPUT, about: 'print the status or the error of each host as JSON, with exit status 0' }, AT],
  examples: [
    { about: 'show all hosts', line: 'npm run status' },
    { about: 'show adama as JSON', line: 'npm run status adama -- --json' },
  ],
  async run(context, [name], flags) {
    const { readStatuses } = await import('../../flash/host-status.ts')
    requireOneHost(name === undefined ? [] : [name], flags)
    const names = name === undefined ? context.hosts.names() : [name]
    const targets = await Promise.all(names.map((each) => knownHost(context, each, flags.at)))
    const controller = await openController(flags.json ? { ...context, reporter: QUIET } : context)
    const statuses = await readStatuses({ ...controller, targets })
    return statusOutput(statuses, controller.generations, {
      asked: name === undefined ? 'all' : 'one',
      format: flags.json ? 'json' : 'text',
    })
  },
}

export interface StatusOutput {
  /** `one`: the user named the host, so it is a failure if the host is unreachable. */
  readonly asked: 'one' | 'all'
  readonly format: 'text' | 'json'
}

/** The text for the statuses. Without `--json`, throws if the user named a host and this host is unreachable. */
export async function statusOutput(
  statuses: readonly HostStatus[],
  generations: (host: string) => Generations,
  { asked, format }: StatusOutput,
): Promise<string> {
  const { statusJson, statusTable, statusText } = await import('../text/status.ts')
  if (format === 'json') return statusJson(statuses, generations)
  const [only] = statuses
  if (asked === 'all' || only === undefined) return statusTable(statuses, generations)
  if (!only.reachable) throw only.error
  return statusText(only, generations(only.host))
}
