import { describe, expect, it } from 'vitest'
import { canonicalJson, canonicalText } from '../../images/canonical.ts'

describe('canonical JSON', () => {
  it('sorts keys at every level and leaves out what is undefined', () => {
    expect(canonicalJson({ b: { d: 1, c: [2, { f: 3, e: 4 }] }, a: undefined })).toBe(
      '{"b":{"c":[2,{"e":4,"f":3}],"d":1}}',
    )
  })

  it('is the same text whatever the order in which members were added', () => {
    expect(canonicalJson({ x: 1, y: 2 })).toBe(canonicalJson({ y: 2, x: 1 }))
  })

  it('spreads the members that are asked for over lines and keeps the rest on one', () => {
    expect(canonicalText({ b: { y: { k: 1 }, x: [1, 2] }, a: { z: 1 } }, { b: 1 })).toBe(
      '{\n  "a": {"z":1},\n  "b": {\n    "x": [1,2],\n    "y": {"k":1}\n  }\n}\n',
    )
  })
})
