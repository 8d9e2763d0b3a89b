import { describe, expect, it } from 'vitest'
import { checkNetwork } from '../../../hosts/schema/network.ts'
import { testHost } from '../../helpers/host.ts'

const network = (address: string, gateway = '192.0.2.1') => {
  const host = testHost({ network: { address, gateway } })
  return () => checkNetwork(host)
}

describe('checkNetwork', () => {
  it.each(['192.0.2.10/24', '192.0.2.2/30', '192.10.0.1/8'])('accepts the network %s', (address) => {
    expect(network(address)).not.toThrow()
  })

  it.each([
    ['192.0.3.10/24', "the gateway '192.0.2.1' is not another machine in the network of '192.0.3.10/24'"],
    ['192.0.2.10/29', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.1/24', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.0/24', "'192.0.2.0/24' is the network address of its network"],
    ['192.0.2.255/24', "'192.0.2.255/24' is the broadcast address of its network"],
    ['192.0.2.2/31', "the network's prefix length is 31, wanted 8 to 30"],
    ['192.0.2.2/7', "the network's prefix length is 7"],
  ])('refuses the network %s: %s', (address, message) => {
    expect(network(address)).toThrow(message)
  })
})
