import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startSwitch } from '../../../flash/vm/switch.ts'
import { frame, station } from '../../helpers/ethernet.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const [ONE, TWO, GATEWAY] = ['52:54:00:00:00:01', '52:54:00:00:00:02', '52:55:0a:00:0a:01'] as const
const EVERYONE = 'ff:ff:ff:ff:ff:ff'
/** For a machine that also runs other programs. */
const PATIENT = { timeout: 30_000 }

async function bench() {
  const directory = await tempDirectory()
  const path = (name: string) => join(directory, name)
  const hub = await startSwitch([
    { socket: path('one'), addresses: [ONE] },
    { socket: path('two'), addresses: [TWO] },
    { socket: path('gateway'), addresses: 'others' },
  ])
  onTestFinished(() => hub.close())
  const [one, two, gateway] = await Promise.all(['one', 'two', 'gateway'].map((name) => station(path(name))))
  if (one === undefined || two === undefined || gateway === undefined) throw new Error('a station is missing')
  return { hub, path, one, two, gateway }
}

/** Waits until each station has received exactly these frames. The last one shows that earlier ones were not sent. */
async function expectReceived(stations: readonly { readonly received: string[] }[], wanted: readonly string[][]) {
  await expect.poll(() => stations.map(({ received }) => received), PATIENT).toEqual(wanted)
}

describe('the switch of a virtual network', () => {
  it('sends a frame for a host to this host only, so that the gateway does not answer it', async () => {
    const { one, two, gateway } = await bench()
    one.send(frame(TWO, ONE, 'to two'))
    one.send(frame(EVERYONE, ONE, 'to all'))
    await expectReceived([one, two, gateway], [[], ['to two', 'to all'], ['to all']])
  })

  it('sends a frame for any other address to the gateway only', async () => {
    const { one, two, gateway } = await bench()
    two.send(frame(GATEWAY, TWO, 'out'))
    two.send(frame(EVERYONE, TWO, 'to all'))
    await expectReceived([one, two, gateway], [['to all'], [], ['out', 'to all']])
  })

  it('returns no frame to its sender', async () => {
    const { one, gateway } = await bench()
    one.send(frame(ONE, ONE, 'to itself'))
    gateway.send(frame(GATEWAY, ONE, 'to itself'))
    one.send(frame(GATEWAY, ONE, 'done'))
    await expectReceived([one, gateway], [[], ['done']])
  })

  it('connects a host again after a reset that cut a frame, and forgets the half of the frame', async () => {
    const { one, two, path } = await bench()
    two.connection.write(Buffer.from([0, 0, 1, 0, 1, 2, 3]))
    two.connection.destroy()
    const again = await station(path('two'))
    again.send(frame(ONE, TWO, 'back'))
    await expectReceived([one], [['back']])
    one.send(frame(TWO, ONE, 'welcome'))
    await expectReceived([again], [['welcome']])
  })

  it('drops the frames for a host that is off, and serves the others', async () => {
    const { one, two, gateway } = await bench()
    two.connection.destroy()
    for (let count = 0; count < 100; count++) one.send(frame(TWO, ONE, 'lost'))
    one.send(frame(GATEWAY, ONE, 'out'))
    await expectReceived([gateway], [['out']])
  })

  it('drops frames for a host that takes none, instead of storing them without a limit', async () => {
    const { one, two, gateway } = await bench()
    two.connection.pause()
    const large = frame(TWO, ONE, 'x'.repeat(60_000))
    const sent = 400
    for (let count = 0; count < sent; count++) one.send(large)
    one.send(frame(GATEWAY, ONE, 'done'))
    await expectReceived([gateway], [['done']])
    two.connection.resume()
    const isServed = () => {
      one.send(frame(TWO, ONE, 'served'))
      return two.received.includes('served')
    }
    await expect.poll(isServed, PATIENT).toBe(true)
    const stored = two.received.filter((content) => content.startsWith('x')).length
    expect(stored).toBeGreaterThan(10)
    expect(stored).toBeLessThan(sent)
  })

  it('ends the connection of a port after a length that is impossible', async () => {
    const { one, two } = await bench()
    const closed = new Promise((resolve) => one.connection.once('close', resolve))
    one.connection.write(Buffer.from([255, 255, 255, 255]))
    await closed
    expect(two.connection.destroyed).toBe(false)
  })

  it('is connected when the gateway is, also while no host is on', async () => {
    const directory = await tempDirectory()
    const [host, gateway] = [join(directory, 'host'), join(directory, 'gateway')]
    const hub = await startSwitch([
      { socket: host, addresses: [ONE] },
      { socket: gateway, addresses: 'others' },
    ])
    onTestFinished(() => hub.close())
    const state = () => Promise.race([hub.connected.then(() => 'connected'), sleep(50).then(() => 'waiting')])
    await station(host)
    expect(await state()).toBe('waiting')
    await station(gateway)
    expect(await state()).toBe('connected')
  })

  it('refuses a socket path that it cannot use', async () => {
    const socket = join(await tempDirectory(), 'missing/port')
    await expect(startSwitch([{ socket, addresses: 'others' }])).rejects.toThrow(/ENOENT|EACCES/)
  })
})
