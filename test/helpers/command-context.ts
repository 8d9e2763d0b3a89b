import type { CommandContext } from '../../cli/command.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { DEFAULT_FACTS } from '../../overlays/lab-facts.ts'
import { type Listed, listReporter } from './reporter.ts'

export interface TestContext extends CommandContext {
  readonly reporter: Listed
}

/** A context for commands. `facts` describes the hosts; any other host has only a name. */
export function commandContext(
  given: Partial<TestContext> & { readonly facts?: readonly Partial<Host>[] } = {},
): TestContext {
  const { facts = [], ...rest } = given
  const find = (name: string) => facts.find((host) => host.name === name)
  return {
    env: {},
    project: '/no-project',
    reporter: listReporter(),
    now: new Date('2027-01-01'),
    signal: new AbortController().signal,
    hosts: {
      names: () => facts.map(({ name }) => name ?? ''),
      load: async (name) => (find(name) ?? { name }) as Host,
      lab: async () => DEFAULT_FACTS,
    },
    leaveTerminal: () => undefined,
    ...rest,
  }
}
