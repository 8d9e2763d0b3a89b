import { describe, expect, it } from 'vitest'
import { macAddressOf } from '../../../flash/vm/mac-address.ts'

describe('macAddressOf', () => {
  it('is the same at every start, and another one for each host', () => {
    expect(macAddressOf('adama')).toBe(macAddressOf('adama'))
    const names = Array.from({ length: 2000 }, (_, index) => `host-${index}`)
    expect(new Set(names.map(macAddressOf)).size).toBe(names.length)
  })

  it('is a locally administered unicast address that QEMU does not give to its gateway', () => {
    for (let index = 0; index < 500; index++) expect(macAddressOf(`host-${index}`)).toMatch(/^52:54(:[0-9a-f]{2}){4}$/)
  })
})
