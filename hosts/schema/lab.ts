import { UserError } from '../../errors.ts'
import type { Host } from '../../overlays/host-facts.ts'

type OnNetwork = Pick<Host, 'name' | 'network'>

/** Refuses a host that cannot run beside the other hosts of the lab: only one machine can have an address. */
export function checkLab(host: OnNetwork, others: readonly OnNetwork[]): void {
  const own = new Set(host.network.addresses.map(({ address }) => address))
  for (const { name, network } of others) {
    const shared = network.addresses.find(({ address }) => own.has(address))
    if (name === host.name || shared === undefined) continue
    throw new UserError('host', `'${host.name}' and '${name}' have the same address: ${shared.address}`, {
      hint: `change 'network.address' in hosts/${host.name}.ts or hosts/${name}.ts`,
    })
  }
}
