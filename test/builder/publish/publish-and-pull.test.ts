import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { textOf } from '../../../builder/generations/parts.ts'
import { generationsOf, isKept } from '../../../builder/generations/record.ts'
import { verifyStore } from '../../../builder/store/verify.ts'
import { withArtifact } from '../../../flash/targets/pi/artifact.ts'
import { cuttingProxy } from '../../helpers/cutting-proxy.ts'
import { startDebianRegistry, USER } from '../../helpers/debian-registry.ts'
import { differences, stateOf, sumsIn } from '../../helpers/output-files.ts'
import { type Machine, machine } from '../../helpers/publishing.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const ENV = { HANGAR_REGISTRY_USER: USER.user, HANGAR_REGISTRY_PASSWORD: USER.password }

/** Both kinds of remote repositories. `bytes` counts the bytes sent so far. */
const REMOTES: readonly (readonly [string, () => Promise<{ at: string; bytes(): number; directory: string }>])[] = [
  [
    'a directory',
    async () => {
      const directory = join(await tempDirectory(), 'stick')
      const blobs = join(directory, 'blobs/sha256')
      const bytes = () => readdirSync(blobs).reduce((sum, name) => sum + statSync(join(blobs, name)).size, 0)
      return { at: directory, directory, bytes }
    },
  ],
  [
    "Debian's registry",
    async () => {
      const { port, directory } = await startDebianRegistry({ kind: 'basic' })
      const proxy = await cuttingProxy(port)
      return { at: `oci://127.0.0.1:${proxy.port}/lab/hangar`, directory, bytes: () => proxy.bytes.up }
    },
  ],
]

/** Expects the same image, byte by byte, in the output directories and the newest records of two machines. */
function expectSameImage(one: Machine, other: Machine): void {
  expect(sumsIn(other.output)).toEqual(sumsIn(one.output))
  expect(differences(other.output, one.output, [stateOf(one.output), stateOf(other.output)])).toEqual([])
  const parts = ({ store }: Machine) => generationsOf(store.root, 'tiny').at(-1)?.parts
  expect({ ...parts(other), origin: null }).toEqual({ ...parts(one), origin: null })
}

describe.each(REMOTES)('an image that was published to %s', (_, remote) => {
  it('pulls a published image bit for bit on another machine', async () => {
    const { at } = await remote()
    const [builder, controller] = [await machine(ENV), await machine(ENV)]
    await builder.build()
    const published = await builder.publish(at)
    const pulled = await controller.pull(at)
    expectSameImage(builder, controller)
    expect(pulled).toMatchObject({ generation: 1, outputs: 'written', from: `${at}:tiny` })
    expect(published.tags).toEqual([`tiny-${published.generation.root.slice(0, 12)}`, 'tiny'])
    expect((await verifyStore(controller.store, listReporter())).damaged).toEqual([])
    expect(controller.retries).toEqual([])
  })

  it('a pulled image can be flashed', async () => {
    const { at } = await remote()
    const [builder, controller] = [await machine(ENV), await machine(ENV)]
    await builder.build()
    await builder.publish(at)
    const { signed } = await controller.pull(at)
    const root = await withArtifact('tiny', controller.output, async (artifact) => artifact.manifest.slot.root)
    expect(root).toBe(signed.root)
  })

  it('publish and pull transfer nothing a second time', async () => {
    const { at, bytes } = await remote()
    const [builder, controller] = [await machine(ENV), await machine(ENV)]
    await builder.build()
    const first = await builder.publish(at)
    expect(first.there).toEqual({ count: 0, bytes: 0 })
    const before = bytes()
    const again = await builder.publish(at)
    expect([again.sent, again.there, again.digest]).toEqual([{ count: 0, bytes: 0 }, first.sent, first.digest])
    // The second publish sends only HEAD requests and tags.
    expect(bytes() - before).toBeLessThan(16_000)
    await controller.pull(at)
    await controller.pull(at)
    expect(controller.reporter.ended).toEqual(['fetch 3 files: fetched', expect.stringContaining('fetched')])
  })

  it('a published image shares its layers with the next image', async () => {
    const { at, bytes } = await remote()
    const builder = await machine(ENV)
    await builder.build({ base: 'a'.repeat(1000), slotSize: 16 << 20 })
    await builder.publish(at)
    const before = bytes()
    await builder.build({ base: 'a'.repeat(1000), host: 'changed', slotSize: 16 << 20 })
    const { sent } = await builder.publish(at)
    expect(sent.bytes).toBeLessThan(100_000)
    expect(bytes() - before).toBeLessThan(120_000)
  })

  it('pull finds an older image by its root hash tag and by its digest', async () => {
    const { at } = await remote()
    const [builder, controller] = [await machine(ENV), await machine(ENV)]
    await builder.build()
    const old = await builder.publish(at)
    await builder.build({ host: 'i' })
    const { generation } = await builder.publish(at)
    const rootOf = async (from: string) => (await controller.pull(from)).signed.root
    expect(await rootOf(at)).toBe(generation.root)
    expect(await rootOf(`${at}:${old.tags[0]}`)).toBe(old.generation.root)
    expect(await rootOf(`${at}@sha256:${old.digest}`)).toBe(old.generation.root)
    expect(generationsOf(controller.store.root, 'tiny').map(({ root }) => root)).toEqual([
      ...[generation.root, old.generation.root],
    ])
  })

  it('publishing an earlier generation does not move the tag of the host', async () => {
    const { at } = await remote()
    const [builder, controller] = [await machine(ENV), await machine(ENV)]
    for (const host of ['h', 'i']) await builder.build({ host })
    const newest = await builder.publish(at)
    const earlier = await builder.publish(at, { number: 1 })
    expect(earlier.tags).toEqual([`tiny-${earlier.generation.root.slice(0, 12)}`])
    expect((await controller.pull(at)).signed.root).toBe(newest.generation.root)
    const { tags } = await builder.publish(`${at}:stable`, { number: 1 })
    expect(tags.at(-1)).toBe('stable')
    expect((await controller.pull(`${at}:stable`)).signed.root).toBe(earlier.generation.root)
  })

  it('every machine publishes the same bytes for the same image', async () => {
    const { at } = await remote()
    const [one, other] = [await machine(ENV), await machine(ENV)]
    await one.build()
    await one.publish(at)
    await other.pull(at)
    expect((await other.publish(at)).digest).toBe((await one.publish(at)).digest)
  })

  it('pull of a missing image prints how to publish it', async () => {
    const { at } = await remote()
    await expect((await machine(ENV)).pull(at)).rejects.toMatchObject({
      code: 'registry',
      message: `there is no image at '${at}:tiny'`,
      hint: `publish the image where it was built: npm run publish tiny -- --to '${at}'`,
    })
  })
})

describe('pull', () => {
  it('fetches only objects that the store lacks', async () => {
    const stick = join(await tempDirectory(), 'stick')
    const builder = await machine()
    await builder.build()
    await builder.publish(stick)
    await builder.build({ host: 'other' })
    await builder.pull(stick)
    // Only the facts are fetched, which are not a part of the image.
    expect(builder.reporter.ended).toEqual(['send 11 files: done', 'fetch 1 file: fetched'])
    expect(generationsOf(builder.store.root, 'tiny').map(({ number }) => number)).toEqual([1, 2, 3])
  })

  it('writes every text beside the images', async () => {
    const stick = join(await tempDirectory(), 'stick')
    const [builder, controller] = [await machine(), await machine()]
    await builder.build()
    const [generation] = generationsOf(builder.store.root, 'tiny').filter(isKept)
    expect(generation && textOf(generation.parts, 'manifest.json')).toBeDefined()
    await builder.publish(stick)
    await controller.pull(stick)
    expect(existsSync(join(controller.output, 'manifest.json.sig'))).toBe(true)
    expect(readFileSync(join(controller.output, 'SHA256SUMS'), 'utf8')).toBe(
      readFileSync(join(builder.output, 'SHA256SUMS'), 'utf8'),
    )
  })
})
