import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished } from 'vitest'
import { BLOCK, diskLayout, partition } from '../../images/layout.ts'
import { type Manifest, parseManifest } from '../../images/manifest.ts'
import { renderServices } from '../../overlays/host-services.ts'
import { adama } from '../helpers/adama.ts'
import { clientCertificate } from '../helpers/client-certificate.ts'
import { eventually } from '../helpers/eventually.ts'
import { patience } from '../helpers/machine-speed.ts'
import { mqttClient } from '../helpers/mqtt.ts'
import { scenarios } from '../helpers/scenarios.ts'
import { bootHost, imagePath, ownerKey, runProgram, type TestVm, vmPrograms } from '../helpers/vm.ts'
import { DEVICE_MAPPER, limitsOf, parseDevices, parseLimits } from './kernel-state.ts'
import { CLOCK, describeBoard, describeResets } from './watchdog.ts'

const MIB = 2 ** 20
/** Seconds for the first boot on two emulated cores, which creates the identity and the data, and starts all services. */
const BOOT_SECONDS = 600
const SERVICE_SECONDS = 600
const FORWARDS = [
  { name: 'mosquitto', guestPort: 8883, port: 28883 },
  { name: 'prometheus', guestPort: 9090, port: 29090 },
  { name: 'alertmanager', guestPort: 9093, port: 29093 },
]

let vm: TestVm
let manifest: Manifest

// All tests of this file share one machine, and run in this order. Most of them change nothing, so that the machine stays as
// it is when they fail; after the others fail, a new machine boots.
const scenario = scenarios({
  start: async () => {
    const path = join(dirname(imagePath(adama.name)), 'manifest.json')
    manifest = parseManifest(readFileSync(path, 'utf8'), path)
    vm = await bootHost({ host: adama, forwards: FORWARDS, clock: CLOCK })
    await vm.reachable(BOOT_SECONDS)
  },
  end: async () => vm?.stop(),
  restarted: async () => {
    await vm.shell(`timeout ${await patience(SERVICE_SECONDS)} systemctl is-system-running --wait || :`)
  },
})

describe('adama, booted from its disk image,', () => {
  scenario.observing('adama starts all units without a failure', async () => {
    const state = await vm.ssh(
      ['-i', ownerKey()],
      `timeout ${await patience(SERVICE_SECONDS)} systemctl is-system-running --wait`,
    )
    expect(await vm.shell('systemctl --failed --plain --no-legend')).toBe('')
    expect(state.stdout.trim()).toBe('running')
  })

  scenario.observing('adama runs every service of the host file, and each is healthy', async () => {
    const names = adama.services.map(({ name }) => name)
    const listed = () => vm.shell("podman ps --format '{{.Names}} {{.Status}}'")
    const healthy = async () => (await listed()).split('\n').filter((line) => line.endsWith('(healthy)'))
    await eventually(async () => (await healthy()).length === names.length, SERVICE_SECONDS)
    for (const name of names) {
      expect(await listed()).toMatch(new RegExp(`${name} Up .*\\(healthy\\)`))
      expect(await vm.shell(`systemctl is-active ${name}.service`)).toBe('active')
    }
  })

  scenario.observing('adama boots from the committed partition, without the trial flag', async () => {
    expect(vm.starts).toEqual([{ partition: 2, tryboot: false }])
    const facts = parseAssignments(await vm.shell('cat /run/hangar/boot'))
    expect(facts).toMatchObject({ SLOT: 'a', PARTITION: '2', TRYBOOT: '0', ROOT_HASH: manifest.slot.root })
  })

  scenario.observing('adama mounts its root and its layers read-only', async () => {
    const mounts = (await vm.shell('cat /proc/mounts')).split('\n').map((line) => line.split(' '))
    const options = (path: string) => mounts.find(([, where]) => where === path)?.[3]?.split(',') ?? []
    expect(options('/')).toContain('ro')
    for (const { name } of manifest.slot.layers) expect(options(`/run/hangar/layers/${name}`)).toContain('ro')
    const written = await vm.ssh(['-i', ownerKey()], 'touch /usr/written')
    expect(written.code).not.toBe(0)
    expect(written.stderr).toContain('Read-only file system')
  })

  scenario.observing('adama reads every layer through one verity device over the slot', async () => {
    const devices = parseDevices(await vm.shell(DEVICE_MAPPER))
    const slot = devices.find(({ name }) => name === 'hangar-slot')
    expect(slot).toMatchObject({
      readOnly: '1',
      below: [parseAssignments(await vm.shell('cat /run/hangar/boot')).SLOT_A?.slice(5)],
    })
    for (const { name, size } of manifest.slot.layers) {
      const layer = devices.find((device) => device.name === `hangar-${name}`)
      expect(layer).toEqual({
        kernelName: layer?.kernelName,
        name: `hangar-${name}`,
        readOnly: '1',
        bytes: size,
        below: [slot?.kernelName],
      })
    }
  })

  scenario.observing('adama lets prometheus scrape all of its targets', async () => {
    const targets = async () => {
      const response = await fetch(`http://127.0.0.1:${vm.ports.prometheus}/api/v1/targets?state=active`)
      const { data } = (await response.json()) as { data: { activeTargets: { health: string; scrapeUrl: string }[] } }
      return data.activeTargets
    }
    await eventually(async () => (await targets()).every(({ health }) => health === 'up'), SERVICE_SECONDS)
    expect((await targets()).map(({ health }) => health)).not.toContain('down')
    const urls = (await targets()).map(({ scrapeUrl }) => scrapeUrl).join(' ')
    expect(urls).toContain(':9100')
    expect(urls).toContain(':9090')
  })

  scenario.observing('adama runs an alertmanager that reports that it is ready', async () => {
    expect((await fetch(`http://127.0.0.1:${vm.ports.alertmanager}/-/ready`)).status).toBe(200)
  })

  scenario.observing(
    'adama passes an MQTT message from one client to another, on a topic that the writer may use',
    async () => {
      const tls = await clientCertificate('workbench')
      const connected = (id: string) => mqttClient({ port: vm.ports.mosquitto ?? 0, id, tls })
      const [reader, writer] = [await connected('reader'), await connected('writer')]
      await reader.subscribe('#')
      writer.publish('hangar/test', 'not allowed')
      writer.publish('test/hangar', 'through the broker')
      expect(await reader.next()).toEqual({ topic: 'test/hangar', message: 'through the broker' })
      reader.close()
      writer.close()
    },
  )

  scenario.observing('adama refuses an MQTT client without a certificate', async () => {
    const { ca, servername } = await clientCertificate('workbench')
    const without = mqttClient({ port: vm.ports.mosquitto ?? 0, id: 'stranger', tls: { ca, servername } })
    await expect(without).rejects.toThrow(/alert|closed the connection|ECONNRESET/)
  })

  scenario.observing('adama limits every service to the memory and cores of the host file', async () => {
    const containers = renderServices(adama).services.flatMap((service) => service.containers)
    for (const { name, limits } of containers) {
      const { memory, cpus } = limits
      const { memoryMax, cores } = parseLimits(await vm.shell(limitsOf(name)))
      expect({ name, memoryMax, cores }).toEqual({ name, memoryMax: memory, cores: cpus })
    }
  })

  scenario.observing('adama accepts a login with the owner’s key', async () => {
    expect(await vm.shell('id -un; hostname')).toBe(`root\n${adama.name}`)
  })

  scenario.observing('adama refuses logins with a password or with another key', async () => {
    const without = await vm.ssh(['-o', 'PubkeyAuthentication=no', '-o', 'IdentityFile=none'], 'true')
    expect(without.code).toBe(255)
    // The server lists the methods that it accepts.
    expect(without.stderr).toMatch(/Permission denied \(publickey\)/)
    const stranger = await otherKey()
    expect((await vm.ssh(['-i', stranger], 'true')).stderr).toMatch(/Permission denied \(publickey\)/)
  })

  scenario.observing('adama prints the fingerprints of its new identity on the console', async () => {
    const listed = await vm.shell('for key in $(sshd -T | sed -n "s/^hostkey //p"); do ssh-keygen -lf "$key"; done')
    const fingerprints = listed.match(/SHA256:[A-Za-z0-9+/]{43}/g) ?? []
    expect(fingerprints.length).toBeGreaterThan(0)
    for (const fingerprint of fingerprints) expect(vm.console.text).toContain(fingerprint)
  })

  scenario.observing('adama extends its data partition to the end of the disk', async () => {
    const device = parseAssignments(await vm.shell('cat /run/hangar/boot')).DATA?.slice(5) ?? ''
    const [start = 0, size = 0] = (
      await vm.shell(`cat /sys/class/block/${device}/start /sys/class/block/${device}/size`)
    )
      .split('\n')
      .map(Number)
    const end = (start + size) * 512
    expect(end).toBeLessThanOrEqual(adama.disk)
    expect(end).toBeGreaterThan(adama.disk - 8 * MIB)
    const mounted = await vm.shell(
      `df -B1 --output=size "$(awk '$1 == "/dev/${device}" { print $2; exit }' /proc/mounts)" | tail -n 1`,
    )
    expect(Number(mounted)).toBeGreaterThan(0.99 * size * 512)
  })

  scenario('adama uses less than 180 MiB of memory without its services', async () => {
    await vm.shell('systemctl stop hangar.slice')
    await sleep(60_000)
    const used = await memoryUsed()
    console.log(`memory used with the services stopped: ${Math.round(used / MIB)} MiB of ${adama.memory / MIB} MiB`)
    expect(used).toBeLessThan(180 * MIB)
  })
})

describeBoard(() => vm, scenario)

describe('adama, rebooted,', () => {
  scenario('adama starts through the firmware after a reboot and keeps its identity', async () => {
    const facts = () =>
      vm.shell('cat /etc/machine-id; cat /etc/ssh/*.pub /run/hangar/identity/*.pub 2>/dev/null || true')
    const before = { facts: await facts(), boot: await bootId() }
    await vm.ssh(['-i', ownerKey()], 'systemctl reboot')
    await eventually(async () => vm.starts.length === 2, BOOT_SECONDS)
    await vm.reachable(BOOT_SECONDS)
    expect(vm.starts.at(-1)).toEqual({ partition: 2, tryboot: false })
    expect(await bootId()).not.toBe(before.boot)
    expect(await facts()).toBe(before.facts)
  })
})

// These tests may stop services.
describe('a flipped bit in the slot', () => {
  const LAYER = 'container-alertmanager'
  const readFiles = `sync; echo 3 >/proc/sys/vm/drop_caches; find /run/hangar/layers/${LAYER} -type f -exec cat {} + >/dev/null`

  scenario('a flipped bit in the slot makes reads of its block fail until the bit is flipped back', async () => {
    const offset = middleOf(LAYER)
    const read = `dd if=/dev/mapper/hangar-slot bs=${BLOCK} skip=${offset / BLOCK} count=1 iflag=direct status=none | sha256sum`
    const before = await vm.shell(read)
    flip(offset)
    const damaged = await vm.ssh(['-i', ownerKey()], `set -o pipefail; ${read}`)
    expect(damaged.stderr).toContain('Input/output error')
    expect(damaged.stdout).not.toContain(before.split(' ')[0] ?? '')
    flip(offset)
    expect(await vm.shell(read)).toBe(before)
  })

  scenario('a flipped bit in the slot makes reads of its file fail instead of returning wrong data', async () => {
    // Files that a running program has mapped stay in the page cache after drop_caches.
    await vm.shell('systemctl stop alertmanager')
    expect((await vm.ssh(['-i', ownerKey()], readFiles)).code).toBe(0)
    const offset = middleOf(LAYER)
    flip(offset)
    const damaged = await vm.ssh(['-i', ownerKey()], readFiles)
    expect(damaged.code).not.toBe(0)
    expect(damaged.stderr).toContain('Input/output error')
    flip(offset)
  })
})

describeResets(() => vm, scenario)

/** Returns the offset in the slot of a block in the middle of a layer, where the layer has files and no metadata. */
function middleOf(name: string): number {
  const layer = manifest.slot.layers.find((each) => each.name === name)
  if (layer === undefined) throw new Error(`no layer '${name}' in the manifest`)
  return layer.offset + Math.floor(layer.size / 2 / BLOCK) * BLOCK
}

/** Inverts one bit of slot a in the disk image of the running machine. */
function flip(offset: number): void {
  const at = partition(diskLayout(adama.slotSize), 'slot-a').offset + offset + 100
  const file = openSync(vm.disk, 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, at)
  byte[0] = (byte[0] ?? 0) ^ 1
  writeSync(file, byte, 0, 1, at)
  closeSync(file)
}

async function memoryUsed(): Promise<number> {
  const text = await vm.shell('cat /proc/meminfo')
  const kibibytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1])
  return (kibibytes('MemTotal') - kibibytes('MemAvailable')) * 1024
}

function parseAssignments(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function bootId(): Promise<string> {
  return vm.shell('cat /proc/sys/kernel/random/boot_id')
}

async function otherKey(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-key-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'key')
  await runProgram(await vmPrograms(), 'ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  return path
}
