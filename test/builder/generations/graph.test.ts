import { describe, expect, it } from 'vitest'
import {
  derivationsIn,
  type Graph,
  graphText,
  objectsIn,
  packagesIn,
  parseGraph,
} from '../../../builder/generations/graph.ts'
import { derivationDigest } from '../../../images/derivation.ts'
import { digestOf } from '../../../images/digest.ts'
import { derivation, lockedPackage } from '../../helpers/derivation.ts'

const toolchain = {
  name: 'build',
  architecture: 'amd64',
  packages: [lockedPackage('node', { architecture: 'amd64' })],
} as const

/** Two layers, one with a compiled program as input, and a boot file that comes from the other layer. */
function smallGraph(): Graph {
  const compiled = derivation({ name: 'program', toolchain, inputs: { 'main.c': { bytes: 'int main;' } } })
  const kernel = derivation({
    name: 'kernel',
    toolchain,
    inputs: { 'debs/linux.deb': { locked: lockedPackage('linux') } },
  })
  const host = derivation({
    name: 'host',
    toolchain,
    inputs: { program: { from: compiled, file: 'program' }, tree: { object: digestOf('tree') } },
    env: { LANG: 'C' },
    privilege: 'all',
  })
  return {
    layers: new Map([
      ['kernel', kernel],
      ['host', host],
    ]),
    boot: new Map([['kernel.img', { from: kernel, file: 'kernel' }]]),
    others: new Map([
      ['sbom', derivation({ name: 'sbom', toolchain, inputs: { kernel: { from: kernel, file: 'about' } } })],
    ]),
  }
}

describe('parseGraph', () => {
  it('reads the text of graphText, with the same digests', () => {
    const graph = smallGraph()
    const read = parseGraph(graphText(graph).text)
    const digests = (each: Graph) => derivationsIn(each).map(derivationDigest).sort()
    expect(digests(read)).toEqual(digests(graph))
    expect(digests(graph)).toHaveLength(4)
    expect([...read.boot].map(([name, { from, file }]) => [name, from.name, file])).toEqual([
      ['kernel.img', 'kernel', 'kernel'],
    ])
    expect(derivationsIn(read).find(({ name }) => name === 'host')).toMatchObject({
      env: { LANG: 'C' },
      privilege: 'all',
      toolchain,
    })
  })

  it('graphText gives the same text for parts in another order', () => {
    const graph = smallGraph()
    const turned = { ...graph, layers: new Map([...graph.layers].reverse()) }
    expect(graphText(turned).text).toBe(graphText(graph).text)
    expect(graphText(parseGraph(graphText(turned).text)).text).toBe(graphText(turned).text)
  })

  it('reads inputs that contain their own bytes by digest', () => {
    const { text, bytes } = graphText(smallGraph())
    expect(bytes).toEqual(['int main;'])
    expect(text).not.toContain('int main;')
    expect(text).toContain(digestOf('int main;'))
  })

  it.each([
    ['of a new graph', (graph: Graph) => graph],
    ['of a graph that was read', (graph: Graph) => parseGraph(graphText(graph).text)],
  ])('reads every package and object %s', (_, turn) => {
    const graph = turn(smallGraph())
    expect(
      packagesIn(graph)
        .map(({ package: name }) => name)
        .sort(),
    ).toEqual(['linux', 'node'])
    expect(objectsIn(graph).sort()).toEqual([digestOf('int main;'), digestOf('tree')].sort())
  })

  it.each([
    ['a command was changed', (text: string) => text.replace('"true"', '"false"'), 'does not match its digest'],
    [
      'a package is missing',
      (text: string) => text.replaceAll(`"${digestOf('linux')}":{`, '"x":{'),
      `the graph has no entry for '${digestOf('linux')}'`,
    ],
    [
      'the format is unknown',
      (text: string) => text.replace('"format":1', '"format":2'),
      'has format 2, this hangar reads format 1',
    ],
  ])('refuses a graph when %s', (_, change, problem) => {
    const { text } = graphText(smallGraph())
    expect(change(text)).not.toBe(text)
    expect(() => parseGraph(change(text))).toThrow(problem)
  })
})
