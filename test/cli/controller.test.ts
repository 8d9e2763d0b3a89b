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

  it('replaces only the address with --at', async () => {
    expect(await known({ jump: 'bastion' }, '127.0.0.1:2222')).toMatchObject({
      at: { address: '127.0.0.1', port: 2222 },
      jump: 'bastion',
    })
  })
})
