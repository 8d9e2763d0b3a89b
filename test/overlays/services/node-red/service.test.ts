import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { container } from '../../../../overlays/container.ts'
import { labOf } from '../../../../overlays/host-services.ts'
import { nodeRed } from '../../../../overlays/services/node-red/service.ts'
import { configurationOf, testHost, testServices } from '../../../helpers/host.ts'

const MOSQUITTO = { mosquitto: { memory: '64 MiB' } }
const NODE_RED = { 'node-red': { memory: '256 MiB' } }

function containerOf(services: HostFile['services']) {
  const host = testHost({ services })
  const context = { host, offers: [], lab: labOf(host) }
  const definition = nodeRed.containers(nodeRed.options.parse({}), context)['node-red']
  if (definition === undefined) throw new Error('node-red has no container')
  return container(definition)
}

interface FlowNode {
  readonly id: string
  readonly type: string
  readonly [field: string]: unknown
}

describe('the first flows of node-red', () => {
  const services = testServices({ ...MOSQUITTO, ...NODE_RED })
  const flows = JSON.parse(configurationOf(services, 'node-red', '/etc/node-red/flows.json')) as FlowNode[]
  const { environment, files } = containerOf({ ...MOSQUITTO, ...NODE_RED })

  it('connect to the broker by variables, because flows stay when names and paths change', () => {
    const used = flows.flatMap((node) =>
      Object.values(node).flatMap((value) => (/^\$\{(\w+)\}$/.exec(String(value)) ?? []).slice(1)),
    )
    expect(used.sort()).toEqual(['MQTT_BROKER', 'MQTT_CA', 'MQTT_CERTIFICATE', 'MQTT_KEY', 'MQTT_PORT'])
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(used))
    expect(environment).toMatchObject({ MQTT_BROKER: 'mosquitto.lab', MQTT_PORT: '8883' })
  })

  it('use the certificate of the service, and verify that of the broker', () => {
    const [tls, broker] = flows
    expect(tls).toMatchObject({ type: 'tls-config', verifyservercert: true })
    expect(broker).toMatchObject({ type: 'mqtt-broker', tls: tls?.id, usetls: true })
    const paths = ['MQTT_CA', 'MQTT_CERTIFICATE', 'MQTT_KEY'].map((name) => String(environment[name]))
    expect(paths.map((path) => files[path]?.kind)).toEqual(['ca', 'certificate', 'certificate-key'])
  })

  it('keep their ids, to which the flows on data volumes refer', () => {
    expect(flows.map(({ id, type }) => [id, type])).toEqual([
      ['68616e6761720001', 'tls-config'],
      ['68616e6761720002', 'mqtt-broker'],
    ])
  })
})

describe('node-red', () => {
  it('connects to the broker only if the lab has one', () => {
    expect(containerOf({ ...MOSQUITTO, ...NODE_RED }).uses).toEqual([{ service: 'mosquitto', port: 8883 }])
    const alone = containerOf(NODE_RED)
    expect(alone.uses).toEqual([])
    expect(Object.keys(alone.files)).not.toContain('/etc/node-red/flows.json')
  })

  it('may use every topic by default, and otherwise those of the host file', () => {
    const access = (options: { publish?: string[]; subscribe?: string[] }) => {
      const services = testServices({ ...MOSQUITTO, 'node-red': { ...NODE_RED['node-red'], ...options } })
      return configurationOf(services, 'mosquitto', '/etc/mosquitto/access')
    }
    expect(access({})).toContain('user node-red\ntopic write #\ntopic read #\n')
    const limited = access({ publish: ['zigbee2mqtt/+/set'], subscribe: ['zigbee2mqtt/#'] })
    expect(limited).toContain('user node-red\ntopic write zigbee2mqtt/+/set\ntopic read zigbee2mqtt/#\n')
    expect(() => access({ publish: ['a#'] })).toThrow('services.node-red.publish')
  })

  it('has its password and the key of its credentials as secrets', () => {
    const secrets = nodeRed.secrets(nodeRed.options.parse({}))
    const used = Object.values(containerOf(NODE_RED).files).flatMap((file) =>
      file.kind === 'secret' ? [file.name] : [],
    )
    expect(used.sort()).toEqual(Object.keys(secrets).sort())
  })
})
