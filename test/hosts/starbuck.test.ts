import { describe, expect, it } from 'vitest'
import { adama } from '../../hosts/adama.ts'
import { lab } from '../../hosts/lab.ts'
import { labProblems } from '../../hosts/schema/lab.ts'
import { hostInLab, labOfHosts, planOf } from '../../hosts/schema/plan.ts'
import { starbuck } from '../../hosts/starbuck.ts'

const hosts = [adama, starbuck].map((each) => hostInLab(each, lab))
const whole = labOfHosts(lab, hosts)

describe('starbuck', () => {
  it('starbuck and adama pass the checks of their lab and of their platform', () => {
    expect(labProblems(whole)).toEqual([])
    for (const each of hosts) expect(() => planOf(each, whole)).not.toThrow()
  })

  it('starbuck runs the monitoring, and no second MQTT broker', () => {
    expect(starbuck.services.map(({ name }) => name)).toEqual(['alertmanager', 'prometheus'])
  })

  it('starbuck takes the gateway and the name server from the lab', () => {
    expect(hosts.map(({ network }) => [network.gateways, network.dns, network.domain])).toEqual([
      [['10.0.10.1'], ['10.0.10.1'], 'lab'],
      [['10.0.10.1'], ['10.0.10.1'], 'lab'],
    ])
  })
})
