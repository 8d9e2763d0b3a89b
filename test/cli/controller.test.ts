import { describe, expect, it } from 'vitest'
import { knownHost } from '../../cli/controller.ts'
import { commandContext } from '../helpers/command-context.ts'
import { HOST_FILE, testHost } from '../helpers/host.ts'

const known = (network: object, at?: string) =>
  knownHost(commandContext({ facts: [testHost({ network: { ...HOST_FILE.network, ...network } })] }), 'tiny', at)

describe('knownHost', () => {
  it('takes address and jump host from the host file', async () => {
    expect(await known({ jump: 'me@bastion:2222' })).toMatchObject({
      at: { address: '192.0.2.10', port: 22 },
      jump: 'me@bastion:2222',
    })
    expect((await known({})).jump).toBeUndefined()
  })

  it.each([
    [['FD00:0::0010/64', '192.0.2.10/24'], ['fe80::1', '192.0.2.1'], 'fd00::10'],
    [['192.0.2.10/24', 'fd00::10/64'], ['fe80::1', '192.0.2.1'], '192.0.2.10'],
  ])('takes the first address of a host with several: %j', async (address, gateway, first) => {
    expect((await known({ address, gateway })).at).toEqual({ address: first, port: 22 })
    expect((await known({ address, gateway }, '[FD00::0:10]:2222')).at).toEqual({ address: 'fd00::10', port: 2222 })
  })

  it('replaces only the address with --at', async () => {
    expect(await known({ jump: 'bastion' }, '127.0.0.1:2222')).toMatchObject({
      at: { address: '127.0.0.1', port: 2222 },
      jump: 'bastion',
    })
  })
})
