import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { BASE_OFFER } from '../../../../overlays/base/offer.ts'
import { describeOnShells, FakeDevice, type Shell } from '../../../helpers/fake-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/metrics.sh'), 'utf8')

/** The output of nft 1.1.3. */
const COUNTERS = JSON.stringify({
  nftables: [
    { metainfo: { version: '1.1.3', release_name: 'Commodore Bullmoose #4', json_schema_version: 1 } },
    ...[
      ['out.mosquitto.mosquitto', 7],
      ['out.host.other', 0],
      ['in.host', 12],
    ].map(([name, packets]) => ({ counter: { family: 'inet', name, table: 'hangar', handle: 4, packets, bytes: 9 } })),
  ],
})

/** The output of btrfs-progs 6.14. */
const GROUPS = `Qgroupid    Referenced    Exclusive  Max referenced   Path 
--------    ----------    ---------  --------------   ---- 
0/5              16384        16384            none   <toplevel>
0/256           880640        16384            none   var@a
0/257         94400512     94400512      1073741824   prometheus@a
0/258         94400511     94400512      1073741824   prometheus@b
0/259               22     94400512      1073741824   prometheus@a.left
`

async function published(
  shell: Shell,
  { nft = `cat <<'END'\n${COUNTERS}\nEND`, btrfs = `cat <<'END'\n${GROUPS}END` } = {},
) {
  const device = await FakeDevice.under(shell)
  device.write('run/boot', 'SLOT=a\n')
  device.write('textfile/.keep', '')
  device.fake('nft', nft)
  device.fake('btrfs', btrfs)
  const env = Object.fromEntries(
    ['run', 'data', 'textfile'].map((name) => [`HANGAR_${name.toUpperCase()}`, device.path(name)]),
  )
  const ran = device.run(SCRIPT, { env })
  const lines = device.read('textfile/host.prom').split('\n')
  return { ...ran, device, lines, values: lines.filter((line) => line !== '' && !line.startsWith('#')) }
}

describeOnShells('the metrics of the host', (shell) => {
  it('publishes the rejected packets of each service and direction', async () => {
    const { code, values, calls, device } = await published(shell)
    expect(code).toBe(0)
    expect(calls).toContain('nft -j list counters table inet hangar')
    expect(values).toEqual(
      expect.arrayContaining([
        'hangar_firewall_loaded 1',
        'hangar_firewall_rejected_packets_total{direction="out",service="mosquitto",user="mosquitto"} 7',
        'hangar_firewall_rejected_packets_total{direction="out",service="host",user="other"} 0',
        'hangar_firewall_rejected_packets_total{direction="in",service="host"} 12',
      ]),
    )
    expect(statSync(device.path('textfile/host.prom')).mode & 0o777).toBe(0o644)
  })

  it('publishes the use and the quota of each volume of the running slot', async () => {
    const { values } = await published(shell)
    expect(values.filter((line) => line.startsWith('hangar_volume'))).toEqual([
      'hangar_volume_used_bytes{volume="var"} 880640',
      'hangar_volume_used_bytes{volume="prometheus"} 94400512',
      'hangar_volume_quota_bytes{volume="prometheus"} 1073741824',
    ])
  })

  it('describes every metric once, before its values', async () => {
    const { lines, values } = await published(shell)
    for (const name of new Set(values.map((line) => /^\w+/.exec(line)?.[0] ?? ''))) {
      const types = lines.filter((line) => line.startsWith(`# TYPE ${name} `))
      expect(types).toHaveLength(1)
      expect(lines.indexOf(types[0] ?? '')).toBeLessThan(lines.findIndex((line) => line.startsWith(name)))
    }
  })

  it('publishes that the firewall is not loaded, and that no volume has a quota', async () => {
    const { code, values } = await published(shell, { nft: 'exit 1', btrfs: 'exit 1' })
    expect([code, values]).toEqual([0, ['hangar_firewall_loaded 0']])
  })

  it('keeps the former file if a value cannot be read', async () => {
    const { code, device } = await published(shell, { nft: 'echo no JSON' })
    expect(code).not.toBe(0)
    expect(device.has('textfile/host.prom')).toBe(false)
  })

  it('writes nothing before /var is mounted', async () => {
    const device = await FakeDevice.under(shell)
    const { code, calls } = device.run(SCRIPT, { env: { HANGAR_TEXTFILE: device.path('missing') } })
    expect([code, calls]).toEqual([0, []])
  })

  it('publishes every metric that the alerts of the host read', async () => {
    const { values } = await published(shell)
    const known = new Set(values.map((line) => /^\w+/.exec(line)?.[0]))
    const read = BASE_OFFER.alerts.flatMap(({ rules }) =>
      rules.flatMap(({ expr }) => expr.match(/\bhangar_(firewall|volume)\w+/g) ?? []),
    )
    expect(read.length).toBeGreaterThan(3)
    expect(read.filter((name) => !known.has(name))).toEqual([])
  })
})
