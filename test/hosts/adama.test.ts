import { describe, expect, it } from 'vitest'
import { adama } from '../../hosts/adama.ts'
import { checkHost, MEMORY_RESERVE } from '../../hosts/schema/check.ts'

describe('adama', () => {
  it('is a host that can work', () => {
    expect(() => checkHost(adama)).not.toThrow()
  })

  it('runs the broker and what watches over everything', () => {
    expect(adama.services.map(({ name }) => name)).toEqual(['alertmanager', 'mosquitto', 'prometheus'])
  })

  it('leaves the system its reserve', () => {
    const promised = adama.services.reduce((sum, { memory }) => sum + memory, 0)
    expect(adama.memory - promised).toBeGreaterThan(MEMORY_RESERVE)
  })

  it('gives nobody at the console a shell', () => {
    expect(adama.console.shell).toBe('none')
  })
})
