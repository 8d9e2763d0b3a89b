import { describe, expect } from 'vitest'
import { accountId } from '../../images/ids.ts'
import { renderServices } from '../../overlays/host-services.ts'
import { MQTT_PORT } from '../../overlays/mqtt.ts'
import { adama } from '../helpers/adama.ts'
import { eventually } from '../helpers/eventually.ts'
import { patience } from '../helpers/machine-speed.ts'
import { scenarios } from '../helpers/scenarios.ts'
import { bootHost, ownerKey, type TestVm } from '../helpers/vm.ts'
import { limitsOf, parseLimits } from '../vm/kernel-state.ts'

const BOOT_SECONDS = 600
const SERVICE_SECONDS = 600

let vm: TestVm

// The machine of these tests is their own, because they fill a volume and load a wrong ruleset.
const scenario = scenarios({
  start: async () => {
    vm = await bootHost({ host: adama })
    await vm.reachable(BOOT_SECONDS)
    await vm.shell(`timeout ${await patience(SERVICE_SECONDS)} systemctl is-system-running --wait || :`)
  },
  end: async () => vm?.stop(),
})

const [BROKER, READER] = [accountId('mosquitto'), accountId('prometheus')]

/** Tries to connect, as a user of the host. Bash opens the connection itself, so that no other program is needed. */
async function connect(uid: number, address: string, port: number): Promise<string> {
  const attempt = `timeout 20 setpriv --reuid ${uid} --regid ${uid} --clear-groups bash -c '</dev/tcp/${address}/${port}'`
  const { code, stderr } = await vm.ssh(['-i', ownerKey()], attempt)
  return code === 0
    ? 'open'
    : (/(Connection refused|No route to host|not permitted)/.exec(stderr)?.[1] ?? `${code}: ${stderr}`)
}

const counter = async (name: string) =>
  Number(/packets (\d+)/.exec(await vm.shell(`nft list counter inet hangar ${name}`))?.[1])
const metric = async (line: string) => {
  const text = await vm.shell('systemctl start hangar-metrics; cat /var/lib/prometheus/node-exporter/host.prom')
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1),
  )
}

describe('the firewall of adama', () => {
  scenario.observing('the firewall is loaded, and the host is healthy', async () => {
    expect(await vm.shell('nft list tables')).toBe('table inet hangar')
    await eventually(
      async () => (await vm.shell('/usr/lib/hangar/agent health')) === '{"state":"healthy"}',
      SERVICE_SECONDS,
    )
    expect(await metric('hangar_firewall_loaded')).toBe(1)
  })

  scenario.observing('the services of the host need nothing that the firewall rejects', async () => {
    const text = await vm.shell('nft list counters')
    const counters = [...text.matchAll(/counter (out\.\S+) \{\s+packets (\d+)/g)]
    expect(counters.length).toBeGreaterThan(adama.services.length)
    const rejected = counters.filter(([, , packets]) => packets !== '0')
    expect(rejected.map(([, name, packets]) => `${name} ${packets}`)).toEqual([])
  })

  scenario.observing('a service reaches the ports that it uses, and no others', async () => {
    const own = adama.network.addresses[0].address
    expect(await connect(READER, '127.0.0.1', 9100)).toBe('open')
    expect(await connect(READER, own, 9093)).toBe('open')
    expect(await connect(BROKER, '127.0.0.1', MQTT_PORT)).toBe('open')
    expect(await connect(BROKER, '127.0.0.1', 9090)).toBe('Connection refused')
    expect(await connect(BROKER, own, 9090)).toBe('Connection refused')
    expect(await connect(READER, '127.0.0.1', 22)).toBe('Connection refused')
    expect(await connect(READER, adama.network.gateways[0] ?? '', 443)).toBe('Connection refused')
    // The port is open for root, so that the firewall is the reason.
    expect(await connect(0, '127.0.0.1', 9090)).toBe('open')
  })

  scenario.observing('a process in a container has no more rights than its user', async () => {
    // caddy listens on port 80, which is open for root.
    expect(await connect(0, '127.0.0.1', 80)).toBe('open')
    const get = 'podman exec prometheus busybox wget -q -O - http://127.0.0.1:80'
    const { code, stderr } = await vm.ssh(['-i', ownerKey()], get)
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('Connection refused')])
    expect(await counter('out.prometheus.prometheus')).toBeGreaterThan(0)
    expect(
      await vm.shell('podman exec prometheus busybox wget -q -O - http://127.0.0.1:9100/metrics | head -n 1'),
    ).toContain('#')
  })

  scenario.observing('rejected packets appear in the counters, the metrics, the log and in Prometheus', async () => {
    const before = await counter('out.mosquitto.mosquitto')
    await connect(BROKER, '127.0.0.1', 9093)
    const after = await counter('out.mosquitto.mosquitto')
    expect(after).toBeGreaterThan(before)
    const name = 'hangar_firewall_rejected_packets_total{direction="out",service="mosquitto",user="mosquitto"}'
    expect(await metric(name)).toBe(after)
    expect(await vm.shell('journalctl -k --grep hangar-firewall')).toMatch(
      /hangar-firewall out\.mosquitto\.mosquitto .*DPT=9093/,
    )
    const query = 'http://127.0.0.1:9090/api/v1/query?query=hangar_firewall_rejected_packets_total'
    const asked = async () => vm.shell(`podman exec prometheus busybox wget -q -O - '${query}'`)
    await eventually(async () => (await asked()).includes('"service":"mosquitto"'), SERVICE_SECONDS)
  })

  scenario.observing('the resolver and the clock send what they need', async () => {
    await vm.ssh(['-i', ownerKey()], 'timeout 20 resolvectl query example.org; systemctl restart systemd-timesyncd')
    expect(await counter('out.host.systemd-resolve')).toBe(0)
    expect(await counter('out.host.systemd-timesync')).toBe(0)
    expect(await vm.shell('podman exec prometheus busybox cat /etc/resolv.conf')).toMatch(/^nameserver 127\.0\.0\.53$/m)
  })
})

describe('the limits of adama', () => {
  scenario.observing('every service has the limits of the host file in its cgroups', async () => {
    for (const { name, limits } of renderServices(adama).services.flatMap(({ containers }) => containers)) {
      const { memory, cpus, tasks, cpuWeight } = limits
      const { memoryMax, cores } = parseLimits(await vm.shell(limitsOf(name)))
      const group = `/sys/fs/cgroup/$(systemctl show -P ControlGroup ${name})`
      const weight = Number(await vm.shell(`cat ${group}/cpu.weight`))
      const most = Number(await vm.shell(`cat $(find ${group} -name pids.max) | grep -v max | sort -n | head -n 1`))
      expect({ name, memoryMax, cores, most, weight }).toEqual({
        name,
        memoryMax: memory,
        cores: cpus,
        most: tasks,
        weight: cpuWeight,
      })
    }
  })

  scenario('a service with a full quota cannot write, and all others can', async () => {
    const write = async (uid: number, volume: string, mib: number) => {
      const file = `/run/hangar/data/${volume}/fill`
      const command = `setpriv --reuid ${uid} --regid ${uid} --clear-groups dd if=/dev/urandom of=${file} bs=1M count=${mib} conv=fsync`
      return (await vm.ssh(['-i', ownerKey()], command)).stderr
    }
    // The quota of alertmanager is 256 MiB.
    const uid = accountId('alertmanager')
    expect(await write(uid, 'alertmanager', 300)).toContain('Disk quota exceeded')
    expect(await write(BROKER, 'mosquitto', 10)).not.toContain('exceeded')
    expect(await metric('hangar_volume_quota_bytes{volume="alertmanager"}')).toBe(256 * 2 ** 20)
    expect(await metric('hangar_volume_used_bytes{volume="alertmanager"}')).toBeGreaterThan(200 * 2 ** 20)
    await vm.shell('rm /run/hangar/data/*/fill; btrfs filesystem sync /data')
    expect(await write(uid, 'alertmanager', 10)).not.toContain('exceeded')
  })
})

describe('a ruleset that nft refuses', () => {
  scenario(
    'a ruleset that nft refuses leaves ssh reachable, closes everything else, and makes the host unhealthy',
    async () => {
      await vm.shell('cp /etc/nftables.conf /run/wrong.nft; echo nonsense >>/run/wrong.nft')
      await vm.shell(
        'nft flush ruleset; mount --bind /run/wrong.nft /etc/nftables.conf; systemctl restart nftables || :',
      )
      await eventually(async () => (await vm.shell('nft list tables')) === 'table inet emergency', 60)
      await vm.reachable(60)
      expect(await vm.shell('/usr/lib/hangar/agent health')).toContain('the firewall is not loaded')
      expect(await metric('hangar_firewall_loaded')).toBe(0)
      expect(await connect(READER, adama.network.gateways[0] ?? '', 443)).not.toBe('open')
      await vm.shell('umount /etc/nftables.conf; systemctl restart nftables')
      expect(await vm.shell('nft list tables')).toBe('table inet hangar')
    },
  )
})
