import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { isJob } from '../../../../overlays/container.ts'
import { parseTopicFilter } from '../../../../overlays/mqtt.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { serviceNamed, testServices } from '../../../helpers/host.ts'
import { type ClientTls, type MqttClient, mqttClient } from '../../../helpers/mqtt.ts'
import { type NativeContainer, nativeContainer } from '../../../helpers/native-container.ts'
import type { RunningProgram } from '../../../helpers/running-program.ts'
import { serviceProgram } from '../../../helpers/service-programs.ts'
import { type Issued, type TestCa, testCa } from '../../../helpers/test-ca.ts'

const CLIENTS = {
  zigbee: { publish: ['zigbee/#'], subscribe: ['zigbee/+/set'] },
  panel: { publish: ['zigbee/+/set'], subscribe: ['#'] },
}
const filters = (topics: readonly string[]) => topics.map(parseTopicFilter)

let directory: string
let ca: TestCa
let broker: NativeContainer
let program: RunningProgram
let port: number
let connections = 0

// One real broker for all tests of this file, with the configuration of a host.
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangar-mosquitto-'))
  ca = testCa(directory)
  port = await freePort()
  const clients = Object.fromEntries(
    Object.entries(CLIENTS).map(([subject, { publish, subscribe }]) => [
      subject,
      { publish: filters(publish), subscribe: filters(subscribe) },
    ]),
  )
  const [container] = serviceNamed(testServices({ mosquitto: { memory: '64 MiB', clients } }), 'mosquitto').containers
  if (container === undefined) throw new Error('mosquitto has no container')
  broker = await nativeContainer(withUser(container), {
    directory,
    ca: ca.certificate,
    issued: {
      mosquitto: ca.issue('mosquitto', { usages: ['server'], names: ['localhost', 'mosquitto.lab'] }),
      'mosquitto-health': ca.issue('mosquitto-health'),
    },
    replaced: { 8883: `${port}`, 'tiny.lab': 'localhost' },
  })
  program = await broker.start()
  await eventually(async () => program.output().includes('running'), 20)
  const { health: check } = container
  if (isJob(check)) throw new Error('mosquitto is a job')
  health = () => broker.run(check.command)
})

afterAll(async () => {
  await program?.stop()
  rmSync(directory, { recursive: true })
})

let health: () => Promise<{ stdout: string }>

/** mosquitto gives up root, and would then have no user that may read the test's files. */
function withUser<Container extends { readonly files: Readonly<Record<string, { kind: string }>> }>(
  container: Container,
) {
  const path = '/etc/mosquitto/mosquitto.conf'
  const file = container.files[path] as { kind: 'text'; text: string }
  return {
    ...container,
    files: { ...container.files, [path]: { ...file, text: `user ${userInfo().username}\n${file.text}` } },
  }
}

const tls = ({ certificate, key }: Issued, authority = ca): ClientTls => ({
  ca: authority.certificate,
  cert: certificate,
  key,
  servername: 'mosquitto.lab',
})

/** A connected client that ends with the test. */
async function client(subject: string, given: Partial<ClientTls> = {}): Promise<MqttClient> {
  const connected = await mqttClient({
    port,
    id: `test-${connections++}`,
    tls: { ...tls(ca.issue(subject)), ...given },
  })
  onTestFinished(() => connected.close())
  return connected
}

/** The topics of the messages that arrive at a client until a last message, whose topic every client may use here. */
async function received(reader: MqttClient, last: string): Promise<string[]> {
  const topics: string[] = []
  for (;;) {
    const { topic } = await reader.next()
    if (topic === last) return topics
    topics.push(topic)
  }
}

/** The options of mosquitto's clients for a certificate. */
function writtenTo(parent: string, { certificate, key }: Issued): string[] {
  writeFileSync(join(parent, 'client.pem'), certificate)
  writeFileSync(join(parent, 'client.key'), key)
  return ['--cert', join(parent, 'client.pem'), '--key', join(parent, 'client.key')]
}

describe('mosquitto, with the configuration of a host,', () => {
  it('passes its own health check, which is a client of the lab', async () => {
    expect((await health()).stdout).toBe('mosquitto version 2.0.21\n')
  })

  it('passes a message to a client that may read its topic', async () => {
    const [reader, writer] = [await client('panel'), await client('zigbee')]
    await reader.subscribe('zigbee/#')
    writer.publish('zigbee/lamp', 'on')
    expect(await reader.next()).toEqual({ topic: 'zigbee/lamp', message: 'on' })
  })

  it('drops a message to a topic that the client may not publish to', async () => {
    const [reader, writer] = [await client('panel'), await client('zigbee')]
    await reader.subscribe('#')
    writer.publish('homeassistant/lamp', 'not allowed')
    writer.publish('zigbee/end', '')
    expect(await received(reader, 'zigbee/end')).toEqual([])
  })

  it('passes no message of a topic that the client may not read', async () => {
    const [reader, zigbee, panel] = [await client('zigbee'), await client('zigbee'), await client('panel')]
    await reader.subscribe('#')
    await panel.subscribe('zigbee/lamp')
    zigbee.publish('zigbee/lamp', 'not for the reader')
    expect(await panel.next()).toMatchObject({ topic: 'zigbee/lamp' })
    panel.publish('zigbee/end/set', '')
    expect(await received(reader, 'zigbee/end/set')).toEqual([])
  })

  it('gives a client without topics nothing, although its certificate is good', async () => {
    const [stranger, reader, writer] = [await client('stranger'), await client('panel'), await client('zigbee')]
    await stranger.subscribe('#')
    await reader.subscribe('#')
    stranger.publish('zigbee/lamp', 'not allowed')
    // The broker answers in order: it has handled the message before it acknowledges another subscription.
    await stranger.subscribe('any')
    writer.publish('zigbee/end', '')
    expect(await received(reader, 'zigbee/end')).toEqual([])
    await stranger.subscribe('any')
    expect(await Promise.race([stranger.next(), setImmediate('nothing')])).toBe('nothing')
  })

  it('identifies a client by its certificate, and ignores the user name', async () => {
    const [file, ...args] = await serviceProgram('/usr/bin/mosquitto_pub')
    const { certificate, key } = ca.issue('stranger')
    const reader = await client('panel')
    await reader.subscribe('#')
    const publish = (more: readonly string[]) =>
      promisify(execFile)(file, [
        ...args,
        ...['-h', 'localhost', '-p', `${port}`, '-t', 'zigbee/lamp', '-m', 'x'],
        ...more,
      ])
    const files = writtenTo(directory, { certificate, key })
    await publish(['--cafile', broker.path('/etc/mosquitto/tls/ca.pem'), ...files, '-u', 'zigbee', '-P', 'any'])
    const writer = await client('zigbee')
    writer.publish('zigbee/end', '')
    expect(await received(reader, 'zigbee/end')).toEqual([])
  })
})

describe('mosquitto refuses', () => {
  const refused = /alert|closed the connection|ECONNRESET/

  it('a client without a certificate', async () => {
    const { ca: authority, servername } = tls(ca.issue('zigbee'))
    await expect(mqttClient({ port, id: 'x', tls: { ca: authority, servername } })).rejects.toThrow(refused)
  })

  it('a certificate of another CA with the same names', async () => {
    const other = testCa(directory).issue('zigbee')
    await expect(client('zigbee', { cert: other.certificate, key: other.key })).rejects.toThrow(refused)
  })

  it('an expired certificate', async () => {
    const old = ca.issue('zigbee', { lifetime: 'expired' })
    await expect(client('zigbee', { cert: old.certificate, key: old.key })).rejects.toThrow(refused)
  })

  it('a certificate that is only for servers', async () => {
    const server = ca.issue('zigbee', { usages: ['server'] })
    await expect(client('zigbee', { cert: server.certificate, key: server.key })).rejects.toThrow(refused)
  })

  it('TLS 1.2', async () => {
    await expect(client('zigbee', { maxVersion: 'TLSv1.2' } as object)).rejects.toThrow(/alert|protocol version/)
    await expect(client('zigbee', { minVersion: 'TLSv1.3' } as object)).resolves.toBeDefined()
  })

  it('MQTT without TLS', async () => {
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(Buffer.from([0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 1, 0x78]))
    const answer = await new Promise<Buffer>((resolve) => {
      const bytes: Buffer[] = []
      socket.on('data', (each) => bytes.push(each))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(Buffer.concat(bytes)))
    })
    // CONNACK begins with 0x20. A TLS alert begins with 0x15.
    expect(answer[0]).not.toBe(0x20)
  })
})

describe("the broker's certificate", () => {
  it('is refused by a client that expects another name', async () => {
    await expect(client('zigbee', { servername: 'prometheus.lab' })).rejects.toThrow(/does not match/)
  })
})
