import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect } from '../../../builder/generations/collect.ts'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import { pin } from '../../../builder/generations/pins.ts'
import { rebuild } from '../../../builder/generations/rebuild.ts'
import { generationsOf } from '../../../builder/generations/record.ts'
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

/** A lab with a pinned generation 1, two later generations with newer locks, and a gc after them. */
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

/** A copy of the lab for one test, with an empty output directory. */
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
    /** Deletes the outputs of generation 1, and keeps its sources. */
    loseLayers: () => {
      rmSync(join(store.root, 'outputs'), { recursive: true })
      const { layers, boot } = parts()
      const kernel = boot.filter(({ name }) => name === 'kernel_2712.img')
      for (const { digest } of [...layers, ...layers.map(({ leaves }) => leaves), ...kernel]) lose(digest)
    },
  }
}

const states = (one: string, other: string) => [stateOf(one), stateOf(other)]

describe('rebuild', () => {
  it('rebuilds a pinned generation bit for bit, offline and after the lock changed', async () => {
    const { output, asItWas, offline, build, store } = await movedOn()
    expect(generationsOf(store.root, 'tiny').map(({ parts }) => parts !== undefined)).toEqual([true, false, true])
    await build('3')
    expect(differences(output, asItWas, states(output, asItWas))).toContain('slot.img')
    const { how, outputs, generation } = await offline().rebuild()
    expect({ how, outputs, number: generation.number }).toEqual({ how: 'assembled', outputs: 'patched', number: 1 })
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('builds missing layers from the recorded derivations, bit for bit', async () => {
    const { output, asItWas, offline, loseLayers, fetched } = await movedOn()
    loseLayers()
    const before = fetched.length
    const { context, rebuild: again } = offline()
    expect((await again()).how).toBe('built')
    expect(context.runner.ran.sort()).toEqual(['base', 'container-app', 'host', 'native-blocks'])
    expect(fetched).toHaveLength(before)
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('a rebuild adds no generation, and does not change the number of the newest one', async () => {
    const { offline, build, store } = await movedOn()
    await offline().rebuild()
    expect(generationsOf(store.root, 'tiny')).toHaveLength(3)
    expect((await build('3')).generation).toBe(3)
  })

  it('a rebuild needs no signing key, because it keeps the recorded signature', async () => {
    const { offline, output, asItWas, context } = await movedOn()
    rmSync(context().env.XDG_CONFIG_HOME, { recursive: true })
    await offline().rebuild()
    const signature = (directory: string) => readFileSync(join(directory, 'manifest.json.sig'), 'utf8')
    expect(signature(output)).toBe(signature(asItWas))
  })
})

describe('rebuild of an incomplete generation', () => {
  it('an offline rebuild names the missing package', async () => {
    const { offline, loseLayers, lose } = await movedOn()
    loseLayers()
    lose(digestOf('package app 1'))
    await expect(offline().rebuild()).rejects.toMatchObject({
      message: 'the store lacks app.deb, and --offline forbids fetching',
      hint: 'run the same command once without --offline',
    })
  })

  it('an online rebuild fetches the missing package', async () => {
    const { context, loseLayers, lose, output, asItWas } = await movedOn()
    loseLayers()
    lose(digestOf('package app 1'))
    expect((await rebuild(context(), { host: 'tiny', number: 1, output })).how).toBe('built')
    expect(differences(output, asItWas, states(output, asItWas))).toEqual([])
  })

  it('refuses missing parts that were built on another architecture', async () => {
    const { offline, loseLayers, output } = await movedOn()
    const context = { ...offline().context, builder: 'arm64' } as const
    const again = () => rebuild(context, { host: 'tiny', number: 1, output })
    expect((await again()).how).toBe('assembled')
    loseLayers()
    await expect(again()).rejects.toMatchObject({
      message: 'the store lacks files of generation 1 of tiny, which was built on amd64; this machine is arm64',
    })
  })

  it('refuses a generation whose parts gc deleted', async () => {
    const { context, output } = await movedOn()
    await expect(rebuild(context(), { host: 'tiny', number: 2, output })).rejects.toMatchObject({
      code: 'generation',
      message:
        'the store has only the record of generation 2 of tiny: gc deleted its files, or an old version of hangar built it',
    })
  })

  it('refuses a generation number that this store does not have', async () => {
    const { context, output } = await movedOn()
    await expect(rebuild(context(), { host: 'tiny', number: 9, output })).rejects.toMatchObject({
      message: 'this store has no generation 9 of tiny',
      hint: 'this store has: 1, 3',
    })
  })

  it('refuses a generation with a missing text, because no derivation makes texts', async () => {
    const { offline, lose, parts } = await movedOn()
    const cmdline = parts().boot.find(({ name }) => name === 'cmdline.txt')
    lose(cmdline?.digest as Digest)
    await expect(offline().rebuild()).rejects.toMatchObject({
      code: 'store',
      message: `the store lacks 1 file of generation 1 of tiny: ${cmdline?.digest} …`,
    })
  })

  it('a rebuild throws before it writes when a derivation is not reproducible', async () => {
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
      message: expect.stringMatching(/^layer 'base' of generation 1 of tiny was rebuilt as \w+, was \w+$/),
    })
    expect(existsSync(output)).toBe(false)
  })

  it.each([
    [
      'the recorded sum of an output differs',
      (parts: ReturnType<Awaited<ReturnType<typeof movedOn>>['parts']>) => ({
        ...parts,
        outputs: parts.outputs.map((each) =>
          each.name === 'boot.img' ? { ...each, sha256: digestOf('other') } : each,
        ),
      }),
      "'boot.img' would be",
    ],
    ['a layer is missing', (parts) => ({ ...parts, layers: parts.layers.slice(1) }), 'its root hash would be'],
    [
      'the record lacks an output',
      (parts) => ({ ...parts, outputs: parts.outputs.slice(1) }),
      "'boot.img' would be a new file",
    ],
  ])('a rebuild throws before it writes when %s', async (_, change, problem) => {
    const { store, output, parts, context } = await movedOn()
    const file = join(store.root, 'generations/tiny/1.json')
    const changed = { ...JSON.parse(readFileSync(file, 'utf8')), parts: change(parts()) }
    writeFileSync(file, JSON.stringify(changed))
    await expect(rebuild(context(), { host: 'tiny', number: 1, output })).rejects.toMatchObject({
      code: 'format',
      message: expect.stringContaining(`this hangar cannot assemble generation 1 of tiny bit for bit: ${problem}`),
    })
    expect(existsSync(output)).toBe(false)
  })
})

describe('an offline build', () => {
  it('an offline build uses the packages in the store', async () => {
    const { build, fetched } = await movedOn()
    const before = fetched.length
    expect((await build('3', 'another line', 'offline')).generation).toBe(4)
    expect(fetched).toHaveLength(before)
  })

  it('an offline build names a package that the store lacks', async () => {
    const { build } = await movedOn()
    await expect(build('4', 'one', 'offline')).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringMatching(/^the store lacks (node|libc)\.deb.*, and --offline forbids fetching$/),
    })
  })
})

describe('gc with a pinned generation', () => {
  it('gc keeps every package of a pinned generation, and no package of a deleted one', async () => {
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
