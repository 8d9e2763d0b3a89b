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

describe('lineOf', () => {
  it.each([
    [['name'], 2],
    [['network'], 3],
    [['network', 'address'], 4],
    [['network', 'dns-servers'], 5],
    [['network', 'dns-servers', '0'], 5],
    [['services', 'prometheus'], 8],
    [['services', 'grafana'], 8],
    [['address'], 7],
  ])('finds the key %j on line %d', (path, line) => {
    expect(lineOf(SOURCE, path)).toBe(line)
  })

  it('returns the line of the parent if the key is missing', () => {
    expect(lineOf(SOURCE, ['network', 'gateway'])).toBe(3)
  })

  it('returns undefined for an unknown key and for an empty path', () => {
    expect(lineOf(SOURCE, ['board'])).toBeUndefined()
    expect(lineOf(SOURCE, [])).toBeUndefined()
  })

  it('finds a key at its own depth, and not in comments, strings or other objects', () => {
    const source = [
      "const more = { memory: 1, board: '{' }",
      'export const tiny = host({',
      "  // memory: '1 GiB', board: 'x'",
      '  /* memory: { */',
      "  name: 'memory: {', ...more,",
      '  services: {',
      "    mosquitto: { memory: pick({ memory: '1 GiB' }), cpus: a ? b : c },",
      '    `board`: 1,',
      '  },',
      "  ssh: { keys: ['board:', more.memory] },",
      "  'memory': '1 GiB',",
      '})',
      "const later = { board: 'x' }",
    ].join('\n')
    expect(lineOf(source, ['memory'])).toBe(11)
    expect(lineOf(source, ['services', 'mosquitto', 'memory'])).toBe(7)
    expect(lineOf(source, ['services', 'mosquitto', 'cpus'])).toBe(7)
    expect(lineOf(source, ['ssh', 'keys', '1'])).toBe(10)
    expect(lineOf(source, ['board'])).toBeUndefined()
  })

  it('ignores longer words that contain the key', () => {
    expect(lineOf('host({\n  hostname: 1,\n  names: 2,\n  name: 3,\n})', ['name'])).toBe(4)
  })
})
