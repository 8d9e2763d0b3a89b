import { UserError } from '../../errors.ts'
import type { NeededSecret } from '../../images/secrets/needed-secret.ts'

/** The secrets that each host of the lab needs, also the hosts that are not built. */
export interface LabNeeds {
  readonly hosts: Readonly<Record<string, readonly NeededSecret[]>>
  /** Hosts whose needs are unknown, because their host files are invalid. What they can decrypt stays theirs. */
  readonly unknown: readonly string[]
}

/** A secret, and all hosts that need it. */
export interface LabSecret extends NeededSecret {
  readonly hosts: readonly string[]
}

/** The secrets of a lab, sorted by name. */
export function secretsOfLab({ hosts }: LabNeeds): LabSecret[] {
  const found = new Map<string, LabSecret>()
  for (const [host, needs] of Object.entries(hosts))
    for (const need of needs) found.set(need.name, joined(found.get(need.name), need, host))
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function joined(known: LabSecret | undefined, need: NeededSecret, host: string): LabSecret {
  if (known === undefined) return { ...need, hosts: [host] }
  if (known.service !== need.service)
    throw new UserError('host', `services '${known.service}' and '${need.service}' both have a secret '${need.name}'`, {
      hint: `rename the secret in overlays/services/${need.service}/service.ts`,
    })
  return { ...known, places: [...known.places, ...need.places], hosts: [...known.hosts, host].sort() }
}
