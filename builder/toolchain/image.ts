import type { Stats } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../../images/canonical.ts'
import { type OutputFile, type Toolchain, toolchainDigest } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { type AddEntry, writeTar } from '../../lib/tar.ts'
import type { Store } from '../store/store.ts'
import { type Fetch, toolchainDirectory } from './toolchain.ts'

/** The version of the packing, a part of the image's key in the store. Raise it when the packing changes. */
const PACKING = 1
const FILE = 'toolchain.oci.tar'

/** The key of a toolchain's image among the outputs of the store. */
export function toolchainImageName(toolchain: Toolchain): Digest {
  return digestOf(canonicalJson({ 'toolchain image': PACKING, toolchain: toolchainDigest(toolchain) }))
}

/** Packs a toolchain as an OCI image in one tar file, for container engines, and returns its path in the store. */
export async function toolchainImage(toolchain: Toolchain, store: Store, fetch: Fetch, reporter: Reporter) {
  const name = toolchainImageName(toolchain)
  const found = store.output(name)?.[FILE]
  if (found !== undefined) return store.path(found.digest)
  const root = await toolchainDirectory(toolchain, store, fetch, reporter)
  const step = reporter.step(`pack toolchain '${toolchain.name}'`)
  try {
    const image = await store.scratch('toolchain-image', (scratch) =>
      pack(root, toolchain.architecture, scratch, store),
    )
    await store.record(name, { [FILE]: image })
    step.done('built')
    return store.path(image.digest)
  } catch (error) {
    step.failed()
    throw error
  }
}

async function pack(root: string, architecture: string, scratch: string, store: Store): Promise<OutputFile> {
  const layerFile = join(scratch, 'layer.tar')
  const layer = await writeTar(layerFile, (add) => addTree(root, '', add, new Map()))
  const image = await writeTar(join(scratch, FILE), (add) => addLayout(architecture, layerFile, layer, add))
  await store.adopt(join(scratch, FILE), image.digest)
  return image
}

/**
 * Adds everything below a directory, sorted by name. Adds a file with several names once, and its other names as hard
 * links.
 */
async function addTree(root: string, below: string, add: AddEntry, seen: Map<number, string>): Promise<void> {
  for (const each of (await readdir(join(root, below))).sort()) {
    const name = below + each
    const path = join(root, name)
    const found = await lstat(path)
    const entry = { name, mode: found.mode & 0o7777, ...ownerIn(found) }
    const first = seen.get(found.ino)
    if (found.isDirectory()) {
      await add({ ...entry, name: `${name}/`, type: 'directory' })
      await addTree(root, `${name}/`, add, seen)
    } else if (found.isSymbolicLink()) await add({ ...entry, type: 'symlink', linkname: await readlink(path) })
    else if (first !== undefined) await add({ ...entry, type: 'link', linkname: first })
    else if (found.isFile()) {
      if (found.nlink > 1) seen.set(found.ino, name)
      await add({ ...entry, type: 'file', content: { file: path, size: found.size } })
    } else throw new Error(`the toolchain has '${name}', which is no file, directory or link`)
  }
}

/**
 * The owner of a file in the image. Without root, unpacked files belong to the user who runs hangar; their owner
 * becomes root.
 */
function ownerIn({ uid, gid }: Stats): { readonly uid: number; readonly gid: number } {
  const us = process.getuid?.()
  return us !== 0 && us === uid ? { uid: 0, gid: 0 } : { uid, gid }
}

const MEDIA = 'application/vnd.oci.image'

/** An image layout (OCI image specification 1.1) with one uncompressed layer. The image stays on this machine. */
async function addLayout(architecture: string, layerFile: string, layer: OutputFile, add: AddEntry): Promise<void> {
  const described = (type: string, { digest, size }: OutputFile) => ({
    mediaType: `${MEDIA}.${type}`,
    digest: `sha256:${digest}`,
    size,
  })
  const config = canonicalJson({
    architecture,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer.digest}`] },
  })
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: described('config.v1+json', outputOf(config)),
    layers: [described('layer.v1.tar', layer)],
  })
  const platform = { architecture, os: 'linux' }
  const index = canonicalJson({
    schemaVersion: 2,
    mediaType: `${MEDIA}.index.v1+json`,
    manifests: [{ ...described('manifest.v1+json', outputOf(manifest)), platform }],
  })
  const text = (name: string, content: string) => add({ name, type: 'file', mode: 0o644, content: { text: content } })
  await text('oci-layout', canonicalJson({ imageLayoutVersion: '1.0.0' }))
  await text('index.json', index)
  for (const name of ['blobs/', 'blobs/sha256/']) await add({ name, type: 'directory', mode: 0o755 })
  for (const blob of [config, manifest]) await text(`blobs/sha256/${digestOf(blob)}`, blob)
  const content = { file: layerFile, size: layer.size }
  await add({ name: `blobs/sha256/${layer.digest}`, type: 'file', mode: 0o644, content })
}

function outputOf(text: string): OutputFile {
  return { digest: digestOf(text), size: Buffer.byteLength(text) }
}
