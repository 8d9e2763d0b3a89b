import { describe, expect, it } from 'vitest'
import type { HostKeys, HostResult } from '../../../cli/build-hosts.ts'
import { buildsText, shortBuildsText } from '../../../cli/text/build.ts'
import { digestOf } from '../../../images/digest.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
import { publicLine } from '../../helpers/public-line.ts'

const NO_KEYS: HostKeys = { login: [], signing: [] }

function result(host: string, generation: number, keys: HostKeys = NO_KEYS): HostResult {
  const layers = [{ name: 'base', size: 1e8, made: { kind: 'built' as const, took: 22_000 } }]
  const built = { generation, root: digestOf(host), slotSize: 2e6, layers, outputs: 'written' as const }
  return { host, built, keys }
}

function cellsOf(results: readonly HostResult[]): string[][] {
  return buildsText({ results, took: 1000 })
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/))
}

describe('the summary of a build', () => {
  it('shows the fingerprint and the name of each key of the host file', () => {
    const [login, signing] = [publicLine(1, 'me at home'), publicLine(2, '')]
    const cells = cellsOf([result('tiny', 3, { login: [login], signing: [signing] })])
    expect(cells).toContainEqual(['may log in', fingerprintOf(login), 'me at home'])
    expect(cells).toContainEqual(['may sign', fingerprintOf(signing)])
  })

  it('has no table of keys for a host file without keys', () => {
    expect(buildsText({ results: [result('tiny', 3)], took: 1000 })).not.toContain('fingerprint')
  })

  it('lists the layers of one host, and ends with the result and the next command', () => {
    const text = buildsText({ results: [result('tiny', 3)], took: 1000 })
    expect(text).toMatch(/^base +100 MB +built +22 s$/m)
    const image = `tiny: generation 3 (${digestOf('tiny').slice(0, 12)}), 2.0 MB in out/tiny, written in 1.0 s`
    expect(text.split('\n').slice(-2)).toEqual([image, 'next: npm run vm tiny'])
  })

  it('lists several hosts with one row for each, and ends with the number of images', () => {
    const results = [result('adama', 3), result('starbuck', 12)]
    const cells = cellsOf(results)
    expect(cells).toContainEqual(['host', 'generation', 'root', 'size', 'files'])
    expect(cells).toContainEqual(['starbuck', '12', digestOf('starbuck').slice(0, 12), '2.0 MB', 'written'])
    expect(cells.slice(-2)).toEqual([['2 images in out/HOST, in 1.0 s'], ['next: npm run vm adama']])
    expect(shortBuildsText({ results, took: 1000 })).not.toContain('next:')
  })

  it('shows a key of several hosts once, with the hosts that have it', () => {
    const [all, one] = [publicLine(1, 'me'), publicLine(2, 'guest')]
    const cells = cellsOf([
      result('adama', 3, { login: [all], signing: [] }),
      result('starbuck', 12, { login: [all, one], signing: [] }),
    ])
    expect(cells).toContainEqual(['may log in', fingerprintOf(all), 'me', 'all'])
    expect(cells).toContainEqual(['may log in', fingerprintOf(one), 'guest', 'starbuck'])
    expect(cells.flat().filter((cell) => cell === fingerprintOf(all))).toHaveLength(1)
  })
})
