import { Agent, request } from 'node:https'
import { describe, expect } from 'vitest'
import { BROKER_NODE, TLS_NODE } from '../../overlays/services/node-red/flows.ts'
import { adama } from '../helpers/adama.ts'
import { clientCertificate } from '../helpers/client-certificate.ts'
import { eventually } from '../helpers/eventually.ts'
import { healthy, type Lab, makeLab } from '../helpers/lab.ts'
import { type MqttClient, mqttClient } from '../helpers/mqtt.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'
import { type ZigateCoordinator, zigateCoordinator } from '../helpers/zigate-coordinator.ts'

/** Seconds until both programs have started on two emulated cores. */
const SERVICE_SECONDS = 900
const FORWARDS = [
  { name: 'mqtt', guestPort: 8883, port: 28883 },
  { name: 'https', guestPort: 443, port: 20443 },
]

let coordinator: ZigateCoordinator
let lab: Lab
let vm: TestVm

/** adama with the four services. The guest reaches this machine's loopback at the address of its gateway. */
const services = (adapter: string) => `services: {
    mosquitto: { memory: '96 MiB', clients: { workbench: { publish: ['test/#'], subscribe: ['#'] } } },
    caddy: { memory: { caddy: '128 MiB', acme: '96 MiB' } },
    zigbee2mqtt: { memory: '256 MiB', adapter: '${adapter}', type: 'zigate', channel: 20 },
    'node-red': { memory: '256 MiB' },
  },
})`

const scenario = scenarios({
  start: async () => {
    coordinator = await zigateCoordinator()
    const adapter = `tcp://${adama.network.gateways[0]}:${coordinator.port}`
    lab = await makeLab('all', (made) => made.edit('hosts/adama.ts', /services: \{[\s\S]*\}\)/, services(adapter)))
    vm = await lab.boot({ forwards: FORWARDS })
    await healthy(vm, SERVICE_SECONDS)
  },
  end: async () => {
    await vm?.stop()
    lab?.remove()
    await coordinator?.stop()
  },
})

describe('zigbee2mqtt on a host', () => {
  scenario.observing('zigbee2mqtt reports over TLS to the broker that it is online', async () => {
    const client = await workbench()
    await client.subscribe('zigbee2mqtt/bridge/state')
    expect(await client.next()).toEqual({ topic: 'zigbee2mqtt/bridge/state', message: '{"state":"online"}' })
    client.close()
    expect(coordinator.errors).toEqual([])
  })

  scenario.observing('zigbee2mqtt forms the network of its secrets', async () => {
    const secret = async (name: string) => Buffer.from(await secretOf('zigbee2mqtt', name), 'hex')
    expect(coordinator.network()).toEqual({
      networkKey: await secret('network-key'),
      extendedPanId: await secret('extended-pan-id'),
      channel: 20,
    })
  })

  scenario.observing('zigbee2mqtt writes the network key neither to its settings nor to its log', async () => {
    const key = await secretOf('zigbee2mqtt', 'network-key')
    const bytes = [...Buffer.from(key, 'hex')]
    const settings = await vm.shell('cat /run/hangar/data/zigbee2mqtt/configuration.yaml')
    const log = await vm.shell('journalctl -u zigbee2mqtt --no-pager -o cat')
    expect(settings).toContain("network_key: '!/tmp/secrets.yaml network_key'")
    for (const text of [settings, log])
      for (const form of [key, bytes.join(', '), bytes.join(','), bytes.join('\n    - ')])
        expect(text).not.toContain(form)
    expect(log).toContain('Zigbee2MQTT started!')
  })

  scenario.observing(
    'zigbee2mqtt opens its page to the host only, and its data only to the owner of the token',
    async () => {
      expect(await listening(8080)).toEqual(['127.0.0.1:8080'])
      expect((await get('zigbee2mqtt.lab', '/')).text).toContain('<title>Zigbee2MQTT')
      const token = await secretOf('zigbee2mqtt', 'web-token')
      expect(await firstMessage('/api')).toBe('closed: 4401')
      expect(await firstMessage('/api?token=wrong')).toBe('closed: 4401')
      expect(await firstMessage(`/api?token=${token}`)).toContain('"topic":"bridge/state"')
    },
  )

  scenario.observing('zigbee2mqtt does not offer its page for a new network', async () => {
    expect(await vm.shell('journalctl -u zigbee2mqtt --no-pager -o cat')).not.toMatch(/onboarding/i)
  })
})

describe('node-red on a host', () => {
  scenario.observing('the editor of node-red refuses to show or change flows without a login', async () => {
    expect(await listening(1880)).toEqual(['127.0.0.1:1880'])
    for (const path of ['/flows', '/settings', '/nodes']) expect((await get('node-red.lab', path)).status).toBe(401)
    expect((await post('/flows', {}, [])).status).toBe(401)
    expect((await login('wrong')).status).toBe(403)
  })

  scenario('a flow of node-red answers an MQTT message over TLS', async () => {
    const token = await loggedIn()
    const authorization = { Authorization: `Bearer ${token}`, 'Node-RED-API-Version': 'v2' }
    const { flows, rev } = JSON.parse((await get('node-red.lab', '/flows', authorization)).text)
    expect(flows.map(({ id }: { id: string }) => id)).toEqual([TLS_NODE, BROKER_NODE])
    expect((await post('/flows', authorization, { rev, flows: [...flows, ...ANSWERING] })).status).toBe(200)
    const client = await workbench()
    await client.subscribe('lab/answer')
    // The flow connects to the broker after its deployment.
    const answered = client.next()
    await eventually(async () => {
      client.publish('test/question', 'hello')
      return (await Promise.race([answered, undefined])) !== undefined
    }, SERVICE_SECONDS)
    expect(await answered).toEqual({ topic: 'lab/answer', message: 'HELLO' })
    client.close()
  })

  scenario.observing('node-red installs no packages', async () => {
    const authorization = { Authorization: `Bearer ${await loggedIn()}` }
    const install = await post('/nodes', authorization, { module: 'node-red-node-random' })
    expect(install.status).toBeGreaterThanOrEqual(400)
  })
})

/** A flow that sends each question back in capitals. */
const ANSWERING = [
  { id: 'tab', type: 'tab', label: 'test' },
  {
    id: 'in',
    type: 'mqtt in',
    z: 'tab',
    topic: 'test/question',
    qos: '1',
    datatype: 'utf8',
    broker: BROKER_NODE,
    wires: [['answer']],
  },
  {
    id: 'answer',
    type: 'function',
    z: 'tab',
    outputs: 1,
    func: 'msg.topic = "lab/answer"; msg.payload = msg.payload.toUpperCase(); return msg',
    wires: [['out']],
  },
  { id: 'out', type: 'mqtt out', z: 'tab', topic: '', qos: '', retain: '', broker: BROKER_NODE, wires: [] },
]

async function workbench(): Promise<MqttClient> {
  return mqttClient({
    port: vm.ports.mqtt ?? 0,
    id: 'workbench',
    tls: await clientCertificate('workbench', lab.directory),
    seconds: SERVICE_SECONDS,
  })
}

function secretOf(container: string, name: string): Promise<string> {
  return vm.shell(`cat /run/hangar/secrets/${container}/files/etc/${container}/secrets/${name}`)
}

/** The addresses at which programs listen on a port of the host. */
async function listening(port: number): Promise<string[]> {
  const lines = await vm.shell(`ss -Hltn 'sport = :${port}'`)
  return lines.split('\n').map((line) => line.split(/\s+/)[3] ?? '')
}

interface Answer {
  readonly status: number
  readonly text: string
}

type Headers = Readonly<Record<string, string>>

const get = (name: string, path: string, headers: Headers = {}) => ask(name, path, headers)

function post(path: string, headers: Headers, body: unknown): Promise<Answer> {
  return ask('node-red.lab', path, { ...headers, 'Content-Type': 'application/json' }, JSON.stringify(body))
}

function login(password: string): Promise<Answer> {
  const credentials = { client_id: 'node-red-admin', grant_type: 'password', scope: '*', username: 'admin', password }
  return post('/auth/token', {}, credentials)
}

async function loggedIn(): Promise<string> {
  const { status, text } = await login(await secretOf('node-red', 'admin-password'))
  expect(status).toBe(200)
  return JSON.parse(text).access_token
}

/** Sends a request to caddy by the name of a service. */
async function ask(name: string, path: string, headers: Headers, body?: string): Promise<Answer> {
  const { ca } = await clientCertificate('workbench', lab.directory)
  const agent = new Agent({ ca, servername: name })
  const method = body === undefined ? 'GET' : 'POST'
  const options = { host: '127.0.0.1', port: vm.ports.https, path, method, agent, headers: { ...headers, Host: name } }
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The first message of Zigbee2MQTT's WebSocket, or the code with which it closes the connection. The container has the client. */
function firstMessage(path: string): Promise<string> {
  const program = `const WebSocket = require('/app/node_modules/ws')
    const socket = new WebSocket('ws://127.0.0.1:8080${path}')
    socket.on('message', (data) => { console.log(String(data)); process.exit() })
    socket.on('close', (code) => { console.log('closed: ' + code); process.exit() })`
  return vm.shell(`podman exec zigbee2mqtt /usr/bin/node -e "${program}"`)
}
