import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { START } from '../../../../overlays/services/zigbee2mqtt/start.ts'
import { movedBelow, runNode, writeFiles } from '../../../helpers/run-node.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const SECRETS = {
  'network-key': '000102030405060708090a0b0c0d0eff',
  'pan-id': '1a62',
  'extended-pan-id': 'dddddddddddddd01',
  'web-token': 'c0ffee',
}

/** A program in the place of Zigbee2MQTT: prints its variables as JSON. */
const PRINTER = 'module.exports = { start: () => console.log(JSON.stringify(process.env)) }\n'

interface Started {
  readonly variables: Readonly<Record<string, string>>
  readonly references: string
}

async function start(changes: Partial<typeof SECRETS> = {}): Promise<Started> {
  const directory = await tempDirectory()
  const secrets = Object.entries({ ...SECRETS, ...changes }).map(([name, text]) => [
    `etc/zigbee2mqtt/secrets/${name}`,
    text,
  ])
  writeFiles(directory, {
    ...Object.fromEntries(secrets),
    'start.cjs': movedBelow(directory, START, ['/etc/zigbee2mqtt', '/tmp']),
    'zigbee2mqtt.cjs': PRINTER,
    'tmp/.keep': '',
  })
  const variables = runNode(join(directory, 'start.cjs'), join(directory, 'zigbee2mqtt.cjs')) as Started['variables']
  return { variables, references: join(directory, 'tmp/secrets.yaml') }
}

describe('the program that starts Zigbee2MQTT', () => {
  it('passes the network key and the token only by references to a private file', async () => {
    const { variables, references } = await start()
    expect(variables).toMatchObject({
      ZIGBEE2MQTT_CONFIG_ADVANCED_NETWORK_KEY: `!${references} network_key`,
      ZIGBEE2MQTT_CONFIG_FRONTEND_AUTH_TOKEN: `!${references} auth_token`,
    })
    expect(JSON.parse(readFileSync(references, 'utf8'))).toEqual({
      network_key: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255],
      auth_token: 'c0ffee',
    })
    expect(statSync(references).mode & 0o777).toBe(0o600)
  })

  it('passes the ids of the network as numbers', async () => {
    const { variables } = await start({ 'pan-id': '1a62\n' })
    expect(variables.ZIGBEE2MQTT_CONFIG_ADVANCED_PAN_ID).toBe('6754')
    expect(variables.ZIGBEE2MQTT_CONFIG_ADVANCED_EXT_PAN_ID).toBe('[221,221,221,221,221,221,221,1]')
  })

  it.each([
    ['0000', 0x8000],
    ['fffe', 0x7ffe],
    ['ffff', 0x7fff],
    ['0001', 1],
    ['fffd', 0xfffd],
  ])('makes a PAN id that Zigbee allows of %s', async (given, id) => {
    expect((await start({ 'pan-id': given })).variables.ZIGBEE2MQTT_CONFIG_ADVANCED_PAN_ID).toBe(String(id))
  })

  it.each<[keyof typeof SECRETS, string, string]>([
    ['network-key', '0102', 'the secret network-key must be 16 bytes in hexadecimal'],
    [
      'network-key',
      `${SECRETS['network-key'].slice(0, -1)}g`,
      'the secret network-key must be 16 bytes in hexadecimal',
    ],
    ['pan-id', '1a6201', 'the secret pan-id must be 2 bytes in hexadecimal'],
    ['extended-pan-id', '', 'the secret extended-pan-id must be 8 bytes in hexadecimal'],
    ['web-token', '\n', 'the secret web-token is empty'],
  ])('does not start with the secret %s %j, and does not print it', async (name, value, reason) => {
    const failure = await start({ [name]: value }).catch((error: { stderr: string }) => error.stderr)
    expect(failure).toContain(reason)
    if (value.length > 4) expect(failure).not.toContain(value)
  })
})
