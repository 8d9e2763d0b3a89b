import { describe, expect, it } from 'vitest'
import { lineOf } from '../../../cli/host-files/line-of.ts'

const SOURCE = `export const adama = host({
  name: 'adama',
  network: {
    address: '10.0.0.2',
    'dns-servers': ['10.0.0.1'],
  },
  address: 'another',
  services: { prometheus, grafana },
})
`

describe('the line of a key', () => {
  it.each([
    [['name'], 2],
    [['network'], 3],
    [['network', 'address'], 4],
    [['network', 'dns-servers'], 5],
    [['network', 'dns-servers', '0'], 5],
    [['services', 'prometheus'], 8],
    [['services', 'grafana'], 8],
  ])('%j is %d', (path, line) => {
    expect(lineOf(SOURCE, path)).toBe(line)
  })

  it('that is not there is that of what it would be in', () => {
    expect(lineOf(SOURCE, ['network', 'gateway'])).toBe(3)
  })

  it('is unknown for one that is nowhere, and for none', () => {
    expect(lineOf(SOURCE, ['board'])).toBeUndefined()
    expect(lineOf(SOURCE, [])).toBeUndefined()
  })

  it('is not that of a longer word that ends or begins like it', () => {
    expect(lineOf('a({\n  hostname: 1,\n  names: 2,\n  name: 3,\n})', ['name'])).toBe(4)
  })
})
