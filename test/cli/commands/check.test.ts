import { describe, expect, it } from 'vitest'
import { check } from '../../../cli/commands/check.ts'
import { UserError } from '../../../errors.ts'
import { defineLab, type LabFile } from '../../../hosts/schema/lab-file.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { type HOST_FILE, testHost } from '../../helpers/host.ts'

const at = (name: string, last: number, changes: Partial<typeof HOST_FILE> = {}) =>
  testHost({ name, network: { address: `192.0.2.${last}/24`, gateway: '192.0.2.1' }, ...changes })

/** Checks a lab of these hosts. A string is the message of a host file that is not valid. */
async function checked(hosts: Readonly<Record<string, Host | string>>, file: LabFile = {}) {
  const load = async (name: string) => {
    const found = hosts[name]
    if (typeof found === 'object') return found
    throw new UserError('host', found ?? '', { hint: 'correct it' })
  }
  const context = commandContext({ hosts: { names: () => Object.keys(hosts), load, lab: async () => defineLab(file) } })
  const text = await check.run(context, [], {}).catch((error: unknown) => error)
  return { text, notices: context.reporter.notices }
}

describe('check', () => {
  it('prints the budget of every host', async () => {
    const { text, notices } = await checked({
      one: at('one', 11),
      two: at('two', 12, { memory: '8 GiB', disk: '256 GB', services: {} }),
    })
    expect(notices).toEqual([])
    expect(String(text).split('\n')).toEqual([
      "lab 'lab': 2 hosts",
      'host  memory  services  system   free     cores  limits  disk    slots       data    open ports',
      'one    2 GiB   320 MiB  768 MiB  960 MiB      4     1.5   64 GB   2 × 8 GiB   46 GB  tcp 22 8883 9090 9100',
      'two    8 GiB     0 MiB  768 MiB  7.3 GiB      4       0  256 GB  2 × 24 GiB  203 GB  tcp 22 9100',
      'the lab has no mistakes',
    ])
  })

  it('reports the mistakes of the lab file, of each host file, between hosts, and of each host', async () => {
    const { text, notices } = await checked(
      {
        bad: "hosts/bad.ts:3 at 'memory': '4' is not a size of memory",
        full: at('full', 13, { memory: '1 GiB' }),
        one: at('one', 11),
        two: at('two', 11),
      },
      { providers: { alertmanager: 'one' } },
    )
    expect(text).toMatchObject({
      code: 'host',
      message: [
        'the lab has 4 mistakes',
        "  'one' and 'two' have the same address: 192.0.2.11",
        "    hint: change 'network.address' in hosts/one.ts or hosts/two.ts",
        "  hosts/lab.ts at 'providers.alertmanager': 'one' does not run 'alertmanager'",
        "    hint: remove 'providers.alertmanager', or add 'alertmanager' to a host",
        "  hosts/bad.ts:3 at 'memory': '4' is not a size of memory",
        '    hint: correct it',
        '  full: services may use 320 MiB, but only 256 MiB are available:',
        '      prometheus             256 MiB',
        '      mosquitto               64 MiB',
        '      all services           320 MiB',
        '      reserve                768 MiB',
        '      memory of the host    1024 MiB',
        "    hint: lower 'memory' of a service in hosts/full.ts, or move a service to another host",
      ].join('\n'),
      hint: 'correct them, and run npm run check again',
    })
    expect(notices.join('\n')).toMatch(/^lab 'lab': 2 hosts\nhost .*\none .*\ntwo /)
  })

  it('reports the only mistake as it is', async () => {
    const { text } = await checked({ bad: 'hosts/bad.ts:3: no board' })
    expect(text).toMatchObject({ message: 'hosts/bad.ts:3: no board', hint: 'correct it' })
  })

  it('accepts a lab without hosts', async () => {
    expect((await checked({})).text).toBe("lab 'lab': 0 hosts\nthe lab has no mistakes")
  })
})
