import { describe, expect, it } from 'vitest'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { adama } from '../../hosts/adama.ts'
import { lab } from '../../hosts/lab.ts'
import { labProblems } from '../../hosts/schema/lab.ts'
import { hostInLab, labOfHosts, planOf } from '../../hosts/schema/plan.ts'
import { starbuck } from '../../hosts/starbuck.ts'
import { derivationDigest } from '../../images/derivation.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { compile } from '../helpers/compile.ts'
import { LOCK_FILE, lockedImage } from '../helpers/locked-image.ts'
import { PROJECT } from '../helpers/toolchain.ts'

const hosts = [adama, starbuck].map((each) => hostInLab(each, lab))
const whole = labOfHosts(lab, hosts)

describe('starbuck', () => {
  it('starbuck and adama pass the checks of their lab and of their platform', () => {
    expect(labProblems(whole)).toEqual([])
    for (const each of hosts) expect(() => planOf(each, whole)).not.toThrow()
  })

  it('starbuck shares with adama all layers of the services that both run', async () => {
    compile(PROJECT)
    const lock = await readDebianLock(LOCK_FILE)
    const layersOf = (host: Host) =>
      new Map(
        lockedImage(host, lock, 'amd64').layers.map(({ name, derivation }) => [name, derivationDigest(derivation)]),
      )
    const shared = ['alertmanager', 'caddy', 'prometheus']
    const [first = new Map(), second = new Map()] = hosts.map((each) =>
      layersOf({ ...each, services: each.services.filter(({ name }) => shared.includes(name)) }),
    )
    expect([...second.keys()]).toEqual(['base', 'kernel', ...shared.map((name) => `container-${name}`), 'host'])
    expect([...second].filter(([name, digest]) => first.get(name) !== digest).map(([name]) => name)).toEqual(['host'])
  })

  it('starbuck runs the home automation and the monitoring, and no second MQTT broker', () => {
    expect(starbuck.services.map(({ name }) => name)).toEqual([
      'alertmanager',
      'caddy',
      'node-red',
      'prometheus',
      'zigbee2mqtt',
    ])
  })

  it('starbuck takes the gateway and the name server from the lab', () => {
    expect(hosts.map(({ network }) => [network.gateways, network.dns, network.domain])).toEqual([
      [['10.0.10.1'], ['10.0.10.1'], 'lab'],
      [['10.0.10.1'], ['10.0.10.1'], 'lab'],
    ])
  })
})
