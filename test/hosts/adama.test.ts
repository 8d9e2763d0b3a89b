import { describe, expect, it } from 'vitest'
import { MEMORY_RESERVE } from '../../hosts/platforms/pi/check.ts'
import { adama } from '../helpers/adama.ts'
import { planAlone } from '../helpers/host.ts'

describe('adama', () => {
  it('adama passes the checks of its platform', () => {
    expect(() => planAlone(adama)).not.toThrow()
  })

  it('adama runs the MQTT broker, the monitoring and the HTTPS entry', () => {
    expect(adama.services.map(({ name }) => name)).toEqual(['alertmanager', 'caddy', 'mosquitto', 'prometheus'])
  })

  it('adama leaves the memory reserve to the system', () => {
    const limits = adama.services.flatMap((each) => Object.values(each.limits))
    expect(limits.length).toBeGreaterThanOrEqual(adama.services.length)
    const promised = limits.reduce((sum, { memory }) => sum + memory, 0)
    expect(adama.memory - promised).toBeGreaterThan(MEMORY_RESERVE)
  })

  it('adama offers no shell on the console', () => {
    expect(adama.console.shell).toBe('none')
  })
})
