import type { Host } from '../../overlays/host-facts.ts'
import type { Lab, LabFacts } from '../../overlays/lab-facts.ts'
import { planWith } from '../platforms/platform.ts'
import { PLATFORMS } from '../platforms/registry.ts'
import type { host } from './host.ts'

/** The plan of a host for the builder: the inputs to lock, and the image. Throws a UserError for a host that cannot work. */
export function planOf(host: Host, lab: Lab) {
  return planWith(platformOf(host), host, lab)
}

/** A host in its lab: the values that its host file leaves out come from the lab file. */
export function hostInLab(declared: ReturnType<typeof host>, facts: LabFacts): Host {
  return platformOf(declared).inLab(declared, facts)
}

/** The lab of all hosts. */
export function labOfHosts(facts: LabFacts, hosts: readonly Host[]): Lab {
  const named = hosts.map((each) => platformOf(each).labHost(each))
  return { facts, hosts: named.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** The platform of a host's board. */
export function platformOf({ board }: Pick<Host, 'board'>) {
  const found = PLATFORMS.find(({ boards }) => boards.includes(board))
  if (found === undefined) throw new Error(`no platform for board '${board}': the schema should have refused it`)
  return found
}
