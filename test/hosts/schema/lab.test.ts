import { describe, expect, it } from 'vitest'
import { checkLab } from '../../../hosts/schema/lab.ts'
import { testHost } from '../../helpers/host.ts'

const at = (name: string, ...address: string[]) =>
  testHost({
    name,
    network: { address, gateway: address.some((each) => each.includes('/2')) ? '192.0.2.1' : 'fe80::1' },
  })

describe('the hosts of a lab', () => {
  it.each([
    ['the same spelling', at('one', '192.0.2.10/24'), at('two', '192.0.2.10/24'), '192.0.2.10'],
    ['another prefix length', at('one', '192.0.2.10/24'), at('two', '192.0.2.10/25'), '192.0.2.10'],
    ['another spelling', at('one', 'fd00::11/64'), at('two', 'FD00:0:0::0011/64'), 'fd00::11'],
    ['a dotted end', at('one', 'fd00::c000:20b/64'), at('two', 'fd00::192.0.2.11/64'), 'fd00::c000:20b'],
    [
      'an address besides others',
      at('one', '192.0.2.10/24', 'fd00::11/64'),
      at('two', 'fd00::12/64', 'fd00::11/64'),
      'fd00::11',
    ],
  ])('refuses two hosts with the same address: %s', (_, one, two, address) => {
    expect(() => checkLab(one, [one, two])).toThrow(
      expect.objectContaining({
        code: 'host',
        message: `'one' and 'two' have the same address: ${address}`,
        hint: "change 'network.address' in hosts/one.ts or hosts/two.ts",
      }),
    )
  })

  it('accepts hosts with different addresses, and the host itself', () => {
    const one = at('one', '192.0.2.10/24', 'fd00::11/64')
    expect(() => checkLab(one, [one, at('two', '192.0.2.11/24'), at('three', 'fd00::10/64')])).not.toThrow()
  })

  it('leaves an address that two other hosts share to the builds of these hosts', () => {
    const [two, three] = [at('two', '192.0.2.11/24'), at('three', '192.0.2.11/24')]
    expect(() => checkLab(at('one', '192.0.2.10/24'), [two, three])).not.toThrow()
  })
})
