import { describe, expect, it } from 'vitest'
import { userNetwork } from '../../../flash/vm/subnet.ts'

describe('userNetwork', () => {
  it("uses the host's subnet and gateway", () => {
    const made = userNetwork({ address: '10.0.10.11', prefix: 24, gateway: '10.0.10.1', dns: ['10.0.10.1'] })
    expect(made).toEqual({ network: '10.0.10.0/24', gateway: '10.0.10.1', dns: '10.0.10.238', leases: '10.0.10.239' })
  })

  it("uses the host's name server if its address is inside the subnet and differs from the gateway", () => {
    const made = userNetwork({ address: '10.0.10.11', prefix: 24, gateway: '10.0.10.1', dns: ['9.9.9.9', '10.0.10.5'] })
    expect(made.dns).toBe('10.0.10.5')
  })

  it('never uses the address of the host', () => {
    const made = userNetwork({ address: '10.0.10.238', prefix: 24, gateway: '10.0.10.1', dns: ['10.0.10.238'] })
    expect(made.dns).toBe('10.0.10.237')
  })

  it('computes subnets for addresses above 127', () => {
    expect(userNetwork({ address: '192.168.77.200', prefix: 22, gateway: '192.168.76.1', dns: [] }).network).toBe(
      '192.168.76.0/22',
    )
  })

  it.each([
    ['10.0.10.11', 24, '10.0.11.1'],
    ['10.0.10.11', 30, '10.0.10.9'],
  ])('refuses the subnet %s/%i with gateway %s', (address, prefix, gateway) => {
    expect(() => userNetwork({ address, prefix, gateway, dns: [] })).toThrow(
      expect.objectContaining({
        message: `cannot emulate network '${address}/${prefix}' with gateway '${gateway}'`,
        hint: 'in the host file, use a prefix of at most /26 and a gateway inside that network',
      }),
    )
  })

  it('refuses a text that is not an IP address', () => {
    expect(() => userNetwork({ address: '10.0.10', prefix: 24, gateway: '10.0.10.1', dns: [] })).toThrow(
      "'10.0.10' is not an IPv4 address",
    )
  })
})
