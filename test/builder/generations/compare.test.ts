import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BuildContext } from '../../../builder/context.ts'
import { compare } from '../../../builder/generations/compare.ts'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import { derivationDigest } from '../../../images/derivation.ts'
import { digestOf } from '../../../images/digest.ts'
import { FILES, type LayerFile } from '../../../images/layers/layer-files/recipe.ts'
import { lockText } from '../../../images/lock.ts'
import { smallLab, smallLock } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** Two generations of a small host that differ in the lock and in one line of configuration. */
async function twoGenerations() {
  const lab = await smallLab(await tempDirectory(memory()), PROJECT)
  await lab.build('1', 'a line')
  await lab.build('2', 'another line')
  writeFileSync(lab.lockFile, lockText(smallLock('2')))
  const kept = (number: number) => requireKept('tiny', generationNumbered(lab.store.root, 'tiny', number))
  return { ...lab, from: kept(1), to: kept(2) }
}

/** A runner that lists one file for each layer, with the digest of the layer as its content. */
function listing(context: BuildContext) {
  const looked: string[] = []
  const realise: BuildContext['runner']['realise'] = async (wanted) => {
    const outputs = wanted.map(async (derivation) => {
      looked.push(derivation.name)
      const layer = derivation.inputs['layer.erofs']
      if (layer === undefined || !('object' in layer)) throw new Error('no layer to look into')
      const overlay = derivation.name.includes('container') ? `/overlay/${digestOf('layer')}/diff` : ''
      const listed: LayerFile = {
        path: `${overlay}/etc/file`,
        kind: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: 1,
        sha256: layer.object,
      }
      const text = `${JSON.stringify(listed)}\n`
      const digest = await context.store.putBytes(text)
      return [derivationDigest(derivation), { [FILES]: { digest, size: text.length } }] as const
    })
    return new Map(await Promise.all(outputs))
  }
  return { looked, context: { ...context, runner: { realise } } }
}

describe('compare', () => {
  it('reports changed packages, configuration and sizes', async () => {
    const { context, from, to } = await twoGenerations()
    const difference = await compare(context(), { from, to, files: 'left out' })
    expect(difference.packages).toEqual([
      { where: 'base', name: 'libc', before: '1', after: '2' },
      { where: 'container-app', name: 'app', before: '1', after: '2' },
      { where: 'native-blocks', name: 'libc', before: '1', after: '2' },
    ])
    expect(difference.programs).toEqual([{ where: 'build', name: 'node', before: '1', after: '2' }])
    expect(difference.configuration.map(({ where, name }) => `${where} ${name}`)).toEqual([
      'container-app /etc/app.conf',
      'host /etc/app.conf',
    ])
    expect(difference.configuration[1]?.diff).toContain('\n-a line\n+another line\n')
    expect(difference.containers).toEqual([{ name: 'app', change: 'changed' }])
    expect([difference.sizes, difference.files]).toEqual([[], []])
    expect([difference.from.number, difference.to.number]).toEqual([1, 2])
  })

  it('lists each file of a changed layer once, with its path inside the container', async () => {
    const { context, from, to } = await twoGenerations()
    const { looked, context: given } = listing({ ...context(), toolchain: context().toolchain })
    const difference = await compare(given, { from, to, files: 'listed' })
    expect(looked.sort()).toEqual(
      ['base', 'container-app', 'host'].flatMap((each) => [`files of ${each}`, `files of ${each}`]),
    )
    expect(difference.files.map(({ where, name }) => `${where} ${name}`)).toEqual([
      'base /etc/file',
      'container-app /etc/file',
      'host /etc/file',
    ])
  })

  it('lists no layer that is equal in both generations', async () => {
    const { context, from } = await twoGenerations()
    const { looked, context: given } = listing(context())
    const difference = await compare(given, { from, to: from, files: 'listed' })
    expect(looked).toEqual([])
    expect([difference.packages, difference.configuration, difference.files]).toEqual([[], [], []])
  })

  it('reports no packages when the graph of one generation is not known', async () => {
    const { context, from, to } = await twoGenerations()
    const pulled = { ...from, parts: { ...from.parts, origin: null } }
    const difference = await compare(context(), { from: pulled, to, files: 'left out' })
    expect([difference.packages, difference.programs]).toEqual([null, null])
    expect(difference.containers).toEqual([{ name: 'app', change: 'changed' }])
  })
})
