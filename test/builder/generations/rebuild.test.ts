import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect } from '../../../builder/generations/collect.ts'
import { pin } from '../../../builder/generations/pins.ts'
import { rebuild } from '../../../builder/generations/rebuild.ts'
import { generationNumbered, generationsOf, requireKept } from '../../../builder/generations/record.ts'
import { readDebianLock } from '../../../builder/sources/debian/source.ts'
import { listObjects } from '../../../builder/store/verify.ts'
import { type Digest, digestOf } from '../../../images/digest.ts'
import { debianLocks } from '../../helpers/debian-locks.ts'
import { differences, stateOf } from '../../helpers/output-files.ts'
import { smallLab, smallLock } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const NOW = new Date('2027-01-01')

let template: string

/** A lab in which generation 1 was built, pinned, and left behind by a lock that moved twice; then gc ran. */
beforeAll(async () => {
  template = mkdtempSync(join(memory(), 'hangar-test-'))
  const lab = await smallLab(template, PROJECT)
  const { store } = lab
  const use = { root: store.root, what: 'test' }
  await lab.build('1', 'one', 'online', join(template, 'as-it-was'))
  await pin({ store, host: 'tiny', number: 1, use })
  await lab.build('2')
  await lab.build('3')
  const lock = debianLocks(await readDebianLock(lab.lockFile))
  await collect({ store, lock, now: NOW, use, mode: 'collect', retention: { keep: 1, olderThan: 0 } })
}, 60_000)

afterAll(() => rmSync(template, { recursive: true, force: true }))

/** That lab, for one test to spoil; its output directory is empty. */
async function movedOn() {
  const directory = await tempDirectory(memory())
  for (const name of ['store', 'debian.lock.json', 'config'])
    cpSync(join(template, name), join(directory, name), { recursive: true, preserveTimestamps: true })
  const lab = await smallLab(directory, PROJECT)
  const { store, output } = lab
  const parts = () => requireKept('tiny', generationNumbered(store.root, 'tiny', 1)).parts
  const lose = (object: Digest) => rmSync(store.path(object))
  return {
    ...{ ...lab, asItWas: join(template, 'as-it-was'), parts, lose },
    offline: () => {
      const context = lab.context('offline')
      return { context, rebuild: () => rebuild(context, { host: 'tiny', number: 1, output }) }
    },
    /** All that was built of generation 1 goes; what it was made from stays. */
    loseLayers: () => {
      rmSync(join(store.root, 'outputs'), { recursive: true })
      const { layers, boot } = parts()
      const kernel = boot.filter(({ name }) => name === 'kernel_2712.img')
      for (const { digest } of [...layers, ...layers.map(({ leaves }) => leaves), ...kernel]) lose(digest)
    },
  }
}

const states = (one: string, other: string) => [stateOf(one), stateOf(other)]

describe('a generation that was pinned before the lock moved', () => {
  it('is put together again without a network, to the same bytes', async () => {
    const { output, asItWas, offline, build, store } = await movedOn()
    expect(generationsOf(store.root, 'tiny').map(({ parts }) => parts !== undefined)).toEqual([true, false, true])
    await build('3')
    expect(differences(output, asItWas, states(output, asItWas))).toContain('slot.img')
    const { how, outputs, generation } = await offline().rebuild()
    expect({ how, outputs, number: generation.number }).toEqual({ how: 'put together', outputs: 'patched', number: 1 })
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('is built from what it was made of where its layers are gone, to the same bytes', async () => {
    const { output, asItWas, offline, loseLayers, fetched } = await movedOn()
    loseLayers()
    const before = fetched.length
    const { context, rebuild: again } = offline()
    expect((await again()).how).toBe('built')
    expect(context.runner.ran.sort()).toEqual(['base', 'container-app', 'host', 'native-blocks'])
    expect(fetched).toHaveLength(before)
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('does not become another generation by that, and the next build of the tree is the newest still', async () => {
    const { offline, build, store } = await movedOn()
    await offline().rebuild()
    expect(generationsOf(store.root, 'tiny')).toHaveLength(3)
    expect((await build('3')).generation).toBe(3)
  })

  it('needs no key of the owner: the signature of then is kept', async () => {
    const { offline, output, asItWas, context } = await movedOn()
    rmSync(context().env.XDG_CONFIG_HOME, { recursive: true })
    await offline().rebuild()
    const signature = (directory: string) => readFileSync(join(directory, 'manifest.json.sig'), 'utf8')
    expect(signature(output)).toBe(signature(asItWas))
  })
})

describe('a generation that cannot be built again', () => {
  it('names the fetched file that is missing, offline', async () => {
    const { offline, loseLayers, lose } = await movedOn()
    loseLayers()
    lose(digestOf('package app 1'))
    await expect(offline().rebuild()).rejects.toMatchObject({
      message: 'the store lacks app.deb, and --offline forbids fetching',
      hint: 'run the same command once without --offline',
    })
  })

  it('may fetch that file where there is a network', async () => {
    const { context, loseLayers, lose, output, asItWas } = await movedOn()
    loseLayers()
    lose(digestOf('package app 1'))
    expect((await rebuild(context(), { host: 'tiny', number: 1, output })).how).toBe('built')
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('was built on another kind of machine, and lacks parts', async () => {
    const { offline, loseLayers, output } = await movedOn()
    const context = { ...offline().context, builder: 'arm64' } as const
    const again = () => rebuild(context, { host: 'tiny', number: 1, output })
    expect((await again()).how).toBe('put together')
    loseLayers()
    await expect(again()).rejects.toMatchObject({
      message: 'generation 1 of tiny lacks parts, and was built on amd64: this machine is arm64',
    })
  })

  it('is said to be a name where it was collected', async () => {
    const { context, output } = await movedOn()
    await expect(rebuild(context(), { host: 'tiny', number: 2, output })).rejects.toMatchObject({
      code: 'generation',
      message: 'only the name of generation 2 of tiny is left: it was collected, or built by an older hangar',
    })
  })

  it('is none of this store', async () => {
    const { context, output } = await movedOn()
    await expect(rebuild(context(), { host: 'tiny', number: 9, output })).rejects.toMatchObject({
      message: 'tiny has no generation 9 in this store',
      hint: 'there are: 1, 3',
    })
  })

  it('lacks a text that nothing can make', async () => {
    const { offline, lose, parts } = await movedOn()
    const cmdline = parts().boot.find(({ name }) => name === 'cmdline.txt')
    lose(cmdline?.digest as Digest)
    await expect(offline().rebuild()).rejects.toMatchObject({
      code: 'store',
      message: `the store lacks 1 parts of generation 1 of tiny: ${cmdline?.digest} …`,
    })
  })

  it('is refused before anything is written where a derivation gives other bytes now', async () => {
    const { offline, loseLayers, output } = await movedOn()
    loseLayers()
    const { context } = offline()
    const realise: typeof context.runner.realise = async (wanted, reporter) => {
      const outputs = await context.runner.realise(wanted, reporter)
      const other = { digest: digestOf('other'), size: 8192 }
      return new Map([...outputs].map(([digest, files]) => [digest, { ...files, 'layer.erofs': other }]))
    }
    const again = rebuild({ ...context, runner: { ...context.runner, realise } }, { host: 'tiny', number: 1, output })
    await expect(again).rejects.toMatchObject({
      code: 'derivation',
      message: expect.stringMatching(/^layer 'base' of generation 1 of tiny came out as \w+, was \w+$/),
    })
    expect(existsSync(output)).toBe(false)
  })

  it.each([
    [
      'an output has another sum',
      (parts: ReturnType<Awaited<ReturnType<typeof movedOn>>['parts']>) => ({
        ...parts,
        outputs: parts.outputs.map((each) =>
          each.name === 'boot.img' ? { ...each, sha256: digestOf('other') } : each,
        ),
      }),
      "'boot.img' would be",
    ],
    ['a layer is missing', (parts) => ({ ...parts, layers: parts.layers.slice(1) }), 'its root hash would be'],
    ['an output came along', (parts) => ({ ...parts, outputs: parts.outputs.slice(1) }), "'boot.img' would come along"],
  ])('is refused before anything is written where %s', async (_, change, complaint) => {
    const { store, output, parts, context } = await movedOn()
    const file = join(store.root, 'generations/tiny/1.json')
    const changed = { ...JSON.parse(readFileSync(file, 'utf8')), parts: change(parts()) }
    writeFileSync(file, JSON.stringify(changed))
    await expect(rebuild(context(), { host: 'tiny', number: 1, output })).rejects.toMatchObject({
      code: 'format',
      message: expect.stringContaining(
        `this hangar does not put generation 1 of tiny together as it was: ${complaint}`,
      ),
    })
    expect(existsSync(output)).toBe(false)
  })
})

describe('a build of the present tree, offline', () => {
  it('takes what the store has', async () => {
    const { build, fetched } = await movedOn()
    const before = fetched.length
    expect((await build('3', 'another line', 'offline')).generation).toBe(4)
    expect(fetched).toHaveLength(before)
  })

  it('names what it lacks', async () => {
    const { build } = await movedOn()
    await expect(build('4', 'one', 'offline')).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringMatching(/^the store lacks (node|libc)\.deb.*, and --offline forbids fetching$/),
    })
  })
})

describe('what gc left for generation 1', () => {
  it('is every file that it was fetched as, and of generation 2 none', async () => {
    const { store } = await movedOn()
    const names = new Set((await listObjects(store)).map(({ object }) => object))
    const fetchedOf = (version: string) =>
      Object.values(smallLock(version).packages).map(({ sha256 }) => names.has(sha256))
    expect([fetchedOf('1'), fetchedOf('2'), fetchedOf('3')]).toEqual([
      [true, true, true],
      [false, false, false],
      [true, true, true],
    ])
  })
})
