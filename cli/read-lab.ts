import type { LabProblem } from '../hosts/schema/lab.ts'
import type { Host } from '../overlays/host-facts.ts'
import type { Lab } from '../overlays/lab-facts.ts'
import type { CommandContext } from './command.ts'

/** The lab of all host files that are valid. */
export interface ReadLab {
  readonly lab: Lab
  readonly problems: readonly LabProblem[]
  /** The hosts whose files are not valid, with the error. It is for the commands that need such a host. */
  readonly unread: ReadonlyMap<string, unknown>
  /** The host of a file. Throws the error of an invalid file. */
  host(name: string): Promise<Host>
}

/** Loads the lab file and all host files, each once, and finds the problems between them. */
export async function readLab({ hosts }: Pick<CommandContext, 'hosts'>): Promise<ReadLab> {
  const { labOfHosts } = await import('../hosts/schema/plan.ts')
  const { labProblems } = await import('../hosts/schema/lab.ts')
  const names = hosts.names()
  const loading = new Map(names.map((name) => [name, hosts.load(name)]))
  const results = await Promise.allSettled(loading.values())
  // Waits for the hosts first, so that an error of the lab file leaves no host file that is still loading.
  const facts = await hosts.lab()
  const lab = labOfHosts(
    facts,
    results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
  )
  const unread = new Map(
    results.flatMap((result, at) =>
      result.status === 'rejected' ? [[names[at] ?? '', result.reason as unknown]] : [],
    ),
  )
  return {
    lab,
    problems: labProblems(lab, [...unread.keys()]),
    unread,
    host: async (name) => loading.get(name) ?? hosts.load(name),
  }
}
