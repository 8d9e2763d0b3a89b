import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../images/digest.ts'

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
}

export interface OpenImage {
  artifactType: string
  config: Descriptor
  layers: Descriptor[]
}

/** An attacker who can write to a directory of images, and updates every digest that is not signed. */
export function forger(directory: string) {
  const blob = (name: string) => join(directory, 'blobs/sha256', name)
  const index = join(directory, 'index.json')
  const put = (bytes: string | Uint8Array) => {
    writeFileSync(blob(digestOf(bytes)), bytes)
    return { digest: `sha256:${digestOf(bytes)}`, size: Buffer.byteLength(bytes) }
  }
  const read = ({ digest }: { digest: string }) => readFileSync(blob(digest.slice(7)))
  const entries = () => JSON.parse(readFileSync(index, 'utf8')).manifests as Descriptor[]
  const image = () => JSON.parse(read(entries().at(-1) as Descriptor).toString()) as OpenImage
  const titled = (each: Descriptor, name: string) => each.annotations?.['org.opencontainers.image.title'] === name
  const forger = {
    image,
    put,
    /** Replaces the image that the host's tag names. */
    replace(change: (image: OpenImage) => OpenImage) {
      const made = put(JSON.stringify(change(image())))
      const manifests = entries().map((each, at, all) => (at === all.length - 1 ? { ...each, ...made } : each))
      writeFileSync(index, JSON.stringify({ schemaVersion: 2, manifests }))
    },
    /** Replaces the bytes of a file everywhere in the image. */
    swap(name: string, change: (bytes: Buffer) => string | Uint8Array) {
      forger.replace((found) => {
        if (!found.layers.some((each) => titled(each, name))) throw new Error(`no file '${name}'`)
        const layers = found.layers.map((each) => (titled(each, name) ? { ...each, ...put(change(read(each))) } : each))
        return { ...found, layers }
      })
    },
    /** Replaces the facts of the image. */
    lie(facts: (facts: Record<string, unknown>) => Record<string, unknown>) {
      forger.replace((found) => {
        const own = JSON.parse(read(found.config).toString()) as Record<string, unknown>
        return { ...found, config: { ...found.config, ...put(JSON.stringify({ ...own, ...facts(own) })) } }
      })
    },
    /** Changes the bytes of a blob without changing its digest. */
    damage(name: string) {
      const found = image().layers.find((each) => titled(each, name)) as Descriptor
      const bytes = read(found)
      bytes[0] = (bytes[0] ?? 0) ^ 1
      writeFileSync(blob(found.digest.slice(7)), bytes)
    },
  }
  return forger
}
