import { describe, expect, it } from 'vitest'
import { modeOf, parseListing } from '../../../../images/layers/parts/shipped.ts'

const LISTING = `drwxr-xr-x 0/0               0 2025-01-01 00:00 ./
-rwsr-xr-x 0/105         12345 2025-01-01 00:00 ./usr/bin/x y
lrwxrwxrwx 0/0               0 2025-01-01 00:00 ./usr/bin/link -> x y
hrwxr-xr-x 0/0               0 2025-01-01 00:00 ./usr/bin/hard link to ./usr/bin/x y
drwxr-xr-x 0/0               0 2025-01-01 00:00 ./
`

describe('parseListing', () => {
  it('returns the paths in each package archive, without link targets', () => {
    const [first, second] = parseListing(LISTING)
    expect(first?.map(({ path }) => path)).toEqual(['/.', '/usr/bin/x y', '/usr/bin/link', '/usr/bin/hard'])
    expect(first?.[1]).toMatchObject({ mode: '-rwsr-xr-x', owner: '0/105' })
    expect(second).toHaveLength(1)
  })

  it('refuses a line that it cannot parse', () => {
    expect(() => parseListing('tar: something else\n')).toThrow(
      "cannot parse this line of tar's output: 'tar: something else'",
    )
  })
})

describe('modeOf', () => {
  it.each([
    ['drwxr-xr-x', 0o755],
    ['-rwsr-xr--', 0o4754],
    ['drwxrwsr-x', 0o2775],
    ['drwxrwxrwt', 0o1777],
    ['-rwSr-Sr-T', 0o7644],
    ['----------', 0],
  ])('converts the mode %s to its number', (text, mode) => {
    expect(modeOf(text)).toBe(mode)
  })
})
