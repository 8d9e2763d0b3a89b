import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeContainerStore } from '../../../../images/layers/container/container-store.ts'
import { walk } from '../../../../images/layers/parts/walk.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const LAYER = createHash('sha256').update('layer of mosquitto').digest('hex')

async function storeOf(service: string): Promise<string> {
  const root = `${await tempDirectory()}/store`
  writeContainerStore(root, { service, architecture: 'arm64' })
  return root
}

const contentOf = (root: string) =>
  [...walk(root)].map(([path, { kind, mode, target }]) => [
    path,
    kind,
    mode,
    kind === 'file' ? readFileSync(root + path, 'utf8') : target,
  ])

const json = (root: string, path: string) =>
  JSON.parse(readFileSync(`${root}/${path}`, 'utf8')) as Record<string, unknown>[]

describe('writeContainerStore', () => {
  it('writes the same store for the same service, and another store for another service', async () => {
    expect(contentOf(await storeOf('mosquitto'))).toEqual(contentOf(await storeOf('mosquitto')))
    expect(contentOf(await storeOf('mosquitto'))).not.toEqual(contentOf(await storeOf('prometheus')))
  })

  it('writes the overlay directory of the layer, its short name, and the link with that name', async () => {
    const root = await storeOf('mosquitto')
    const link = readFileSync(`${root}/overlay/${LAYER}/link`, 'utf8')
    expect(link).toMatch(/^[0-9A-F]{26}$/)
    expect(readlinkSync(`${root}/overlay/l/${link}`)).toBe(`../${LAYER}/diff`)
    expect(lstatSync(`${root}/overlay/${LAYER}/diff`).isDirectory()).toBe(true)
  })

  it('lists one layer and one image in the format of containers/storage', async () => {
    const root = await storeOf('mosquitto')
    expect(json(root, 'overlay-layers/layers.json')).toMatchObject([
      { id: LAYER, 'diff-digest': `sha256:${LAYER}`, compression: 0 },
    ])
    const [image] = json(root, 'overlay-images/images.json')
    expect(image).toMatchObject({
      names: ['localhost/hangar/mosquitto:latest'],
      layer: LAYER,
      created: '2025-01-01T00:00:00Z',
    })
  })

  it('names the configuration by its digest, and lists correct sizes and digests', async () => {
    const root = await storeOf('mosquitto')
    const [image = {}] = json(root, 'overlay-images/images.json')
    const { id, digest } = image as { id: string; digest: string }
    const sizes = image['big-data-sizes'] as Record<string, number>
    const digests = image['big-data-digests'] as Record<string, string>
    for (const name of image['big-data-names'] as string[]) {
      const fileName = name === 'manifest' ? name : `=${Buffer.from(name).toString('base64')}`
      const bytes = readFileSync(`${root}/overlay-images/${id}/${fileName}`)
      expect(sizes[name]).toBe(bytes.length)
      expect(digests[name]).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    }
    expect(digests[`sha256:${id}`]).toBe(`sha256:${id}`)
    expect(digests.manifest).toBe(digest)
  })

  it('writes the lock files that podman opens first', async () => {
    const root = await storeOf('mosquitto')
    for (const path of ['overlay-layers/layers.lock', 'overlay-images/images.lock'])
      expect(readFileSync(`${root}/${path}`, 'utf8')).toBe('')
  })
})
