import { describe, expect, it } from 'vitest'
import { canonicalJson, canonicalText } from '../../images/canonical.ts'

describe('canonicalJson and canonicalText', () => {
  it('sort the keys of JSON at every level and omit undefined members', () => {
    expect(canonicalJson({ b: { d: 1, c: [2, { f: 3, e: 4 }] }, a: undefined })).toBe(
      '{"b":{"c":[2,{"e":4,"f":3}],"d":1}}',
    )
  })

  it('give the same JSON text for every order of members', () => {
    expect(canonicalJson({ x: 1, y: 2 })).toBe(canonicalJson({ y: 2, x: 1 }))
  })

  it('write the requested members over several lines and all others on one line', () => {
    expect(canonicalText({ b: { y: { k: 1 }, x: [1, 2] }, a: { z: 1 } }, { b: 1 })).toBe(
      '{\n  "a": {"z":1},\n  "b": {\n    "x": [1,2],\n    "y": {"k":1}\n  }\n}\n',
    )
  })
})
