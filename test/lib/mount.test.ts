import { describe, expect, it } from 'vitest'
import { mountOf } from '../../lib/mount.ts'

describe('mountOf', () => {
  it('returns the deepest mount that holds a path, with its options', () => {
    const { point, options } = mountOf('/proc/self/status')
    expect(point).toBe('/proc')
    expect(options.some((option) => option === 'rw' || option === 'ro')).toBe(true)
  })

  it('throws for a path that does not exist', () => {
    expect(() => mountOf('/nowhere')).toThrow('ENOENT')
  })
})
