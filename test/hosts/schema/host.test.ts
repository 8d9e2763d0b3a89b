import { describe, expect, it } from 'vitest'
import { type HostFile, host } from '../../../hosts/schema/host.ts'
import { hostInLab } from '../../../hosts/schema/plan.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { HOST_FILE, testHost } from '../../helpers/host.ts'
import { publicLine } from '../../helpers/public-line.ts'

const GIB = 2 ** 30
const KEY = publicLine(1, 'me')

/** Expects that a host file with these changes is refused with this message and hint. */
const refused = (changes: object, message: string, hint?: string) => {
  const problem = { name: 'UserError', code: 'host', message: expect.stringContaining(message) }
  const expected = hint === undefined ? problem : { ...problem, hint: expect.stringContaining(hint) }
  expect(() => host({ ...HOST_FILE, ...changes } as HostFile)).toThrow(expect.objectContaining(expected))
}

describe('host', () => {
  it('a host file gets defaults for missing fields', () => {
    const { name: _, ...rest } = hostInLab(
      host({
        ...{ name: 'bare', board: 'raspberry-pi-5', memory: '4 GiB', disk: '64 GB' },
        network: { address: '192.0.2.10/24', gateway: '192.0.2.1' },
      }),
      DEFAULT_FACTS,
    )
    expect(rest).toEqual({
      board: 'raspberry-pi-5',
      memory: 4 * GIB,
      disk: 64e9,
      slotSize: 8 * GIB,
      number: 1,
      timezone: 'Etc/UTC',
      network: {
        addresses: [{ address: '192.0.2.10', prefix: 24 }],
        ...{ gateways: ['192.0.2.1'], dns: ['192.0.2.1'], domain: 'lab' },
      },
      ssh: { keys: [] },
      updates: { signingKeys: [] },
      console: { shell: 'none' },
      services: [],
    })
  })

  it('a host keeps the values of the host file', () => {
    const given = testHost({
      ...{ number: 7, timezone: 'Europe/Zurich', slotSize: '4 GiB', console: { shell: 'root' } },
      network: { address: '192.0.2.10/24', gateway: '192.0.2.1', dns: ['192.0.2.2'], domain: 'home' },
      ssh: { keys: [KEY] },
    })
    expect(given).toMatchObject({ number: 7, timezone: 'Europe/Zurich', slotSize: 4 * GIB })
    expect(given.network).toMatchObject({ dns: ['192.0.2.2'], domain: 'home' })
    expect(given).toMatchObject({ console: { shell: 'root' }, ssh: { keys: [KEY] } })
  })

  it('a larger disk gets larger slots', () => {
    expect(testHost({ disk: '128 GB' }).slotSize).toBe(8 * GIB)
    expect(testHost({ disk: '256 GB' }).slotSize).toBe(24 * GIB)
  })

  it('a host sorts the services by name, and separates limits from options', () => {
    const prometheus = { memory: '1 GiB', retentionDays: 3 }
    const { services } = testHost({ services: { prometheus, alertmanager: { memory: '64 MiB', cpus: 0.25 } } })
    expect(services).toEqual([
      {
        name: 'alertmanager',
        limits: { alertmanager: { memory: 64 * 2 ** 20, cpus: 0.25, tasks: 256, cpuWeight: 100 } },
        disk: { alertmanager: GIB / 4 },
        options: { repeatHours: 4 },
      },
      {
        name: 'prometheus',
        limits: { prometheus: { memory: GIB, cpus: 1, tasks: 256, cpuWeight: 100 } },
        disk: { prometheus: 8 * GIB },
        options: { retentionDays: 3, retentionSizeGb: 6, interval: 15 },
      },
    ])
  })
})

describe('an unknown key', () => {
  it('refuses an unknown key with the most similar key and all allowed keys', () => {
    refused(
      { memroy: '1 GiB' },
      "hosts/tiny.ts: unknown key 'memroy'",
      "did you mean 'memory'? allowed here: name, board",
    )
  })

  it('refuses an unknown key at any depth, with its path', () => {
    const { network } = HOST_FILE
    refused({ network: { ...network, adress: 'x' } }, "unknown key 'network.adress'", "did you mean 'address'?")
    refused({ console: { shel: 'root' } }, "unknown key 'console.shel'", 'allowed here: shell')
    const mosquitto = { memory: '16 MiB', maxpacketsize: 1 }
    refused({ services: { mosquitto } }, "'services.mosquitto.maxpacketsize'", "did you mean 'maxPacketSize'?")
  })

  it('refuses a mistyped service, and names all services', () => {
    const hint =
      "did you mean 'mosquitto'? allowed here: alertmanager, caddy, mosquitto, node-red, prometheus, zigbee2mqtt"
    refused({ services: { mosquito: { memory: '1 MiB' } } }, "unknown key 'services.mosquito'", hint)
  })

  it('reports an unknown key before missing and invalid values, which it may cause', () => {
    const { memory, board, name, ...others } = HOST_FILE
    const refusedFirst = (file: object, message: string, hint: string) =>
      expect(() => host(file as HostFile)).toThrow(
        expect.objectContaining({ message, hint: expect.stringContaining(`did you mean '${hint}'?`) }),
      )
    refusedFirst({ ...others, name, board, memroy: '4 GiB' }, "hosts/tiny.ts: unknown key 'memroy'", 'memory')
    refusedFirst({ ...others, name, memory, baord: board }, "hosts/tiny.ts: unknown key 'baord'", 'board')
    refusedFirst({ ...others, memory, board, nmae: name }, "hosts/?.ts: unknown key 'nmae'", 'name')
    const mosquitto = { memroy: '64 MiB' }
    const services = { ...others, name, board, memory: 'much', services: { mosquitto } }
    refusedFirst(services, "hosts/tiny.ts: unknown key 'services.mosquitto.memroy'", 'memory')
  })

  it('refuses an unknown key without a guess if no allowed key is similar', () => {
    refused({ frobnicate: 1 }, "unknown key 'frobnicate'", 'allowed here: name')
    expect(() => host({ ...HOST_FILE, frobnicate: 1 } as HostFile)).not.toThrow(
      expect.objectContaining({ hint: expect.stringContaining('did you mean') }),
    )
  })
})

describe('an invalid value', () => {
  it.each([
    [{ memory: '4 GB' }, "at 'memory': '4 GB' is not a size of memory such as '512 MiB' or '4 GiB'"],
    [{ disk: '64 GiB' }, "at 'disk': '64 GiB' is not the size of a disk as it is sold"],
    [{ slotSize: '1.5 GiB' }, "at 'slotSize': '1.5 GiB' is not a slot's size in whole GiB"],
    [{ services: { mosquitto: { memory: '0 MiB' } } }, "at 'services.mosquitto.memory': '0 MiB'"],
    [{ services: { mosquitto: {} } }, "at 'services.mosquitto.memory'"],
    [{ services: { mosquitto: { memory: '16 MiB', cpus: 0 } } }, "at 'services.mosquitto.cpus'"],
    [{ board: 'raspberry-pi-4' }, "at 'board': 'raspberry-pi-4' is not a board that hangar supports"],
    [{ board: undefined }, "at 'board': 'undefined' is not a board"],
    [{ number: -1 }, "at 'number'"],
    [{ timezone: 'Zurich time' }, "at 'timezone': no time zone has the name 'Zurich time'"],
    [{ timezone: 'Europe/Zurch' }, "did you mean 'Europe/Zurich'?"],
    [{ timezone: 'europe/zurich' }, "no time zone has the name 'europe/zurich'"],
    [
      { updates: { signingKeys: ['ssh-rsa AAAA me'] } },
      "at 'updates.signingKeys.0': 'ssh-rsa AAAA me' is not a public key: its type is 'ssh-rsa'",
    ],
    [{ ssh: { keys: ['my key'] } }, "at 'ssh.keys.0': 'my key' is not a public key: its type is 'my'"],
    [{ console: { shell: 'everybody' } }, "at 'console.shell'"],
    [{ network: undefined }, "at 'network'"],
    [{ name: undefined }, "at 'name'"],
    [{ name: 'Tiny Host' }, "hosts/?.ts at 'name': invalid host name 'Tiny Host'"],
    [{ name: 'localhost' }, "hosts/?.ts at 'name': invalid host name 'localhost'"],
  ])('refuses an invalid value with its path: %j', (changes, message) => {
    refused(changes, message)
  })

  it("an unknown board's error names the supported boards, and the most similar one", () => {
    const hint = "did you mean 'raspberry-pi-5'? supported boards: raspberry-pi-5"
    refused({ board: 'raspberry-pi-4' }, "at 'board'", hint)
  })

  it.each(['192.0.2.10', '192.0.2.300/24', '192.0.2/24', '192.0.2.10/33', '2001:db8::1/129', 'fd00:::1/64', ''])(
    'refuses %j as an address',
    (address) => {
      const network = { address, gateway: '192.0.2.1' }
      refused({ network }, `at 'network.address': '${address}' is not an address with a prefix length`)
    },
  )

  it.each(['192.0.2', '192.0.2.256', 'router.lab', '192.0.2.1/24'])('refuses %j as a gateway', (gateway) => {
    refused({ network: { address: '192.0.2.10/24', gateway } }, `at 'network.gateway': '${gateway}' is not an IP`)
  })
})
