import { UserError } from '../../errors.ts'
import type { Host } from '../../overlays/host-facts.ts'

/** Refuses an address or a gateway that cannot work in the host's network. */
export function checkNetwork({ name, network }: Pick<Host, 'name' | 'network'>): void {
  const { address, prefix, gateway } = network
  if (prefix > 30 || prefix < 8)
    throw new UserError('host', `${name}: the network's prefix length is ${prefix}, wanted 8 to 30`, {
      hint: `correct 'network.address' in hosts/${name}.ts`,
    })
  if (networkOf(address, prefix) !== networkOf(gateway, prefix) || address === gateway)
    throw new UserError(
      'host',
      `${name}: the gateway '${gateway}' is not another machine in the network of '${address}/${prefix}'`,
      { hint: `correct 'network' in hosts/${name}.ts` },
    )
  const size = 2 ** (32 - prefix)
  const index = numberOf(address) % size
  if (index > 0 && index < size - 1) return
  throw new UserError(
    'host',
    `${name}: '${address}/${prefix}' is the ${index === 0 ? 'network' : 'broadcast'} address of its network`,
    { hint: `no machine can have this address: choose another 'network.address' in hosts/${name}.ts` },
  )
}

function networkOf(address: string, prefix: number): number {
  return Math.floor(numberOf(address) / 2 ** (32 - prefix))
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
