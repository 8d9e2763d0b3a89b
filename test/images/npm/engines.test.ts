import { describe, expect, it } from 'vitest'
import { excluding, nodeVersionIn, requireEngines } from '../../../images/npm/engines.ts'

const engine = (name: string, node: string | undefined) => ({ package: name, version: '5.0.0', node })

describe('the versions of Node.js that packages state', () => {
  it("finds the version of Node.js in Debian's version", () => {
    expect(nodeVersionIn('20.19.2+dfsg-1+deb13u3')).toBe('20.19.2')
    expect(nodeVersionIn('1:22.3.0-1')).toBe('22.3.0')
    for (const other of ['', '20.19', '20.19.2a-1', '20.19.2.1-1']) expect(nodeVersionIn(other)).toBeUndefined()
  })

  it('finds the packages that exclude a version; unreadable ranges exclude none', () => {
    const all = [engine('a', '>=22'), engine('b', '>=18'), engine('c', undefined), engine('d', 'node 8')]
    expect(excluding(all, '20.19.2').map((each) => each.package)).toEqual(['a'])
  })

  it('refuses a package of the service that excludes the Node.js of Debian', () => {
    expect(() => requireEngines([engine('b', '>=18')], '20.19.2', 'LOCK')).not.toThrow()
    expect(() => requireEngines([engine('b', '>=18'), engine('node-red', '>=22.9')], '20.19.2', 'LOCK')).toThrow(
      expect.objectContaining({
        message: "'LOCK': 'node-red@5.0.0' needs Node.js '>=22.9', Debian's package has 20.19.2",
        hint: "set an older range for 'node-red' in package.json, then: npm run lock",
      }),
    )
  })
})
