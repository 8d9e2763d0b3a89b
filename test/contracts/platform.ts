import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { collect } from '../../builder/generations/collect.ts'
import { compare } from '../../builder/generations/compare.ts'
import { generationIn, generationNumbered, requireKept } from '../../builder/generations/find.ts'
import { listGenerations } from '../../builder/generations/list.ts'
import { rebuild } from '../../builder/generations/rebuild.ts'
import { generationsOf } from '../../builder/generations/record.ts'
import { platformNamed } from '../../builder/platforms/registry.ts'
import { openRepository } from '../../builder/publish/open-repository.ts'
import { publish } from '../../builder/publish/publish.ts'
import { pull } from '../../builder/publish/pull.ts'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { openStore } from '../../builder/store/directory.ts'
import { digestOf } from '../../images/digest.ts'
import { MIB } from '../../images/layout.ts'
import { verifyText } from '../../images/signature/sshsig.ts'
import { debianLocks } from '../helpers/debian-locks.ts'
import { differences, stateOf, sumsIn } from '../helpers/output-files.ts'
import { type SmallPlan, smallLab } from '../helpers/small-lab.ts'
import { memory, tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'

export interface PlatformUnderTest {
  readonly name: string
  /** A host of the platform, for its board `board`. */
  readonly plan: SmallPlan
  readonly board: string
}

/** The behaviour that build, generations, publish and pull expect of every platform. */
export function describePlatform({ name, plan, board }: PlatformUnderTest): void {
  const platform = () => platformNamed(name)

  async function lab(directory?: string) {
    const root = directory ?? (await tempDirectory(memory()))
    const made = await smallLab(root, PROJECT, plan)
    const keyFile = join(root, 'config/hangar/signing_key.pub')
    const read = (file: string) => readFileSync(join(made.output, file), 'utf8')
    return { ...made, root, read, signer: () => readFileSync(keyFile, 'utf8').trim() }
  }

  /** Publishes to a directory, and pulls to another machine from it. */
  async function published(from: Awaited<ReturnType<typeof lab>>) {
    const { store, reporter } = from
    const directory = join(from.root, 'stick')
    const { signal } = new AbortController()
    const options = { env: {}, actions: 'pull,push', transport: 'https', onRetry: () => {} } as const
    const open = (stop: AbortSignal) => openRepository({ kind: 'directory', directory }, { ...options, signal: stop })
    await publish({ host: 'tiny', number: undefined, tag: undefined, store, reporter, signal, open })
    const other = await tempDirectory(memory())
    const [otherStore, output] = [await openStore(join(other, 'store')), join(other, 'out')]
    const host = { name: 'tiny', platform: name, board, slotSize: 8 * MIB, trusted: [from.signer()] }
    const pulled = (given: Partial<typeof host> = {}) =>
      pull({ host: { ...host, ...given }, reference: undefined, output, store: otherStore, reporter, signal, open })
    return { pulled, output, store: otherStore }
  }

  describe(`the platform ${name}`, () => {
    it('the registry lists the platform under its name', () => {
      expect(platform().name).toBe(name)
    })

    it('writes the images that it names, and checksums of everything that no block map covers', async () => {
      const { build, output } = await lab()
      expect((await build('1')).outputs).toBe('written')
      const { disk, slot, boot, others } = platform().images('tiny')
      const files = Object.keys(stateOf(output))
      expect(files).toEqual(expect.arrayContaining([disk, slot, ...(boot === undefined ? [] : [boot]), ...others]))
      for (const [file, sum] of Object.entries(sumsIn(output)))
        expect(digestOf(readFileSync(join(output, file))), file).toBe(sum)
    })

    it('writes nothing when nothing changed, and otherwise the same bytes as a fresh build', async () => {
      const { build, output, root } = await lab()
      await build('1')
      expect((await build('1')).outputs).toBe('unchanged')
      const before = stateOf(output)
      expect((await build('1', 'two')).outputs).toBe('patched')
      const fresh = join(root, 'fresh')
      await build('1', 'two', 'online', fresh)
      expect(differences(output, fresh, [before, stateOf(fresh)])).toEqual([])
    })

    it('signs a manifest that names the host, the board, the root hash and the checksums of its images', async () => {
      const { build, read, output, signer } = await lab()
      const { root } = await build('1')
      const manifest = read('manifest.json')
      expect(verifyText(manifest, read('manifest.json.sig'), [signer()])).toBe(signer())
      const signed = platform().readManifest(manifest, 'manifest.json')
      expect(signed).toMatchObject({ host: 'tiny', board, root, signature: 'signed' })
      expect(Object.keys(signed.outputs)).toContain(platform().images('tiny').slot)
      for (const [file, sum] of Object.entries(signed.outputs)) expect(sumsIn(output)[file], file).toBe(sum)
    })

    it('rebuilds an earlier generation bit for bit, from the store and from its sources', async () => {
      const { build, output, root, store, context, lockFile } = await lab()
      const first = join(root, 'first')
      await build('1', 'one', 'online', first)
      await build('2')
      const request = { host: 'tiny', number: 1, output }
      expect((await rebuild(context('offline'), request)).how).toBe('assembled')
      expect(differences(output, first, [stateOf(first), stateOf(output)])).toEqual([])
      const use = { root: store.root, what: 'test' }
      const retention = { keep: 2, olderThan: 0 }
      await collect({
        store,
        lock: debianLocks(await readDebianLock(lockFile)),
        now: new Date(),
        use,
        mode: 'collect',
        retention,
      })
      rmSync(join(store.root, 'outputs'), { recursive: true })
      const { parts } = requireKept('tiny', generationNumbered(store.root, 'tiny', 1))
      const made = parts.layers[0] ?? parts.boot[0]
      rmSync(store.path(made?.digest ?? digestOf('')))
      expect((await rebuild(context('offline'), request)).how).toBe('built')
      expect(differences(output, first, [stateOf(first), stateOf(output)])).toEqual([])
    })

    it('refuses to rebuild a generation whose recorded checksums differ, and writes nothing', async () => {
      const { build, output, store, context } = await lab()
      await build('1')
      const file = join(store.root, 'generations/tiny/1.json')
      const record = JSON.parse(readFileSync(file, 'utf8'))
      record.parts.outputs[0].sha256 = digestOf('other')
      writeFileSync(file, JSON.stringify(record))
      rmSync(output, { recursive: true })
      const again = rebuild(context('offline'), { host: 'tiny', number: 1, output })
      await expect(again).rejects.toMatchObject({ code: 'format', message: expect.stringContaining('bit for bit') })
      expect(existsSync(output)).toBe(false)
    })

    it('lists and compares generations', async () => {
      const { build, store, context, output } = await lab()
      await build('1', 'one')
      await build('1', 'two')
      const [newest, older] = listGenerations(store, 'tiny')
      expect([newest?.state, older?.state]).toEqual(['kept', 'kept'])
      expect(newest?.sizes?.slot).toBeGreaterThan(0)
      expect(generationIn(store.root, 'tiny', output).number).toBe(2)
      const kept = (number: number) => requireKept('tiny', generationNumbered(store.root, 'tiny', number))
      const difference = await compare(context(), { from: kept(1), to: kept(2), files: 'left out' })
      expect(difference.packages).toEqual([])
      expect(difference.configuration.map(({ diff }) => diff).join('')).toMatch(/-one.*\n\+two/)
    })

    it('publishes an image that another machine pulls bit for bit', async () => {
      const from = await lab()
      await from.build('1')
      const { pulled, output, store } = await published(from)
      expect((await pulled()).outputs).toBe('written')
      expect(differences(output, from.output, [stateOf(from.output), stateOf(output)])).toEqual([])
      const parts = (root: string) => ({ ...generationsOf(root, 'tiny').at(-1)?.parts, origin: null })
      expect(parts(store.root)).toEqual(parts(from.store.root))
    })

    it('refuses to pull an image for another host or board, and of another platform', async () => {
      const from = await lab()
      await from.build('1')
      const { pulled, output } = await published(from)
      await expect(pulled({ board: 'other' })).rejects.toMatchObject({ code: 'host' })
      await expect(pulled({ slotSize: 16 * MIB })).rejects.toMatchObject({ code: 'size' })
      const other = name === 'pi' ? 'fake' : 'pi'
      await expect(pulled({ platform: other })).rejects.toMatchObject({ code: 'format' })
      expect(existsSync(output)).toBe(false)
    })

    it('treats images for an unknown board as private', () => {
      expect([platform().isPublic(board), platform().isPublic('unknown')]).toEqual([true, false])
    })
  })
}
