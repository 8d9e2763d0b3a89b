import { hash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { CONTAINER_PATH } from '../container-program.ts'

/** The name of a service's image, which quadlets use. */
export function imageName(service: string): string {
  return `localhost/hangar/${service}:latest`
}

const CREATED = '2025-01-01T00:00:00Z'

/**
 * Writes a containers-storage (overlay driver) with one image of one layer. Returns the directory of the layer's content,
 * which is still empty. The ids are derived from the service's name instead of random, so that the same content gives the
 * same store. Format: containers/storage 1.57, `layers.go`, `images.go`, `drivers/overlay/overlay.go`.
 */
export function writeContainerStore(
  root: string,
  { service, architecture }: { service: string; architecture: string },
): string {
  const layer = hash('sha256', `layer of ${service}`, 'hex')
  const link = hash('sha256', `link of ${service}`, 'hex').slice(0, 26).toUpperCase()
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    created: CREATED,
    config: { Env: [`PATH=${CONTAINER_PATH.join(':')}`] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created: CREATED }],
  })
  const image = hash('sha256', config, 'hex')
  writeOverlay(root, layer, link)
  writeLayers(root, layer)
  writeImages(root, service, image, layer, config)
  return `${root}/overlay/${layer}/diff`
}

function writeOverlay(root: string, layer: string, link: string): void {
  for (const name of ['diff', 'work', 'merged']) mkdirSync(`${root}/overlay/${layer}/${name}`, { recursive: true })
  mkdirSync(`${root}/overlay/l`)
  writeFileSync(`${root}/overlay/${layer}/link`, link)
  symlinkSync(`../${layer}/diff`, `${root}/overlay/l/${link}`)
}

function writeLayers(root: string, layer: string): void {
  mkdirSync(`${root}/overlay-layers`)
  const digest = `sha256:${layer}`
  const layers = [
    { id: layer, created: CREATED, 'compressed-diff-digest': digest, 'diff-digest': digest, compression: 0 },
  ]
  writeFileSync(`${root}/overlay-layers/layers.json`, JSON.stringify(layers))
  // Creates the lock files, which podman opens even in a read-only store.
  writeFileSync(`${root}/overlay-layers/layers.lock`, '')
}

function writeImages(root: string, service: string, image: string, layer: string, config: string): void {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${image}`, size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${layer}`, size: 0 }],
  })
  const manifestDigest = `sha256:${hash('sha256', manifest, 'hex')}`
  const data: Record<string, string> = {
    [`sha256:${image}`]: config,
    [`manifest-${manifestDigest}`]: manifest,
    manifest,
  }
  const directory = `${root}/overlay-images/${image}`
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(data)) writeFileSync(`${directory}/${fileName(name)}`, text)
  const entry = {
    id: image,
    digest: manifestDigest,
    names: [imageName(service)],
    layer,
    created: CREATED,
    'big-data-names': Object.keys(data),
    'big-data-sizes': Object.fromEntries(Object.entries(data).map(([name, text]) => [name, text.length])),
    'big-data-digests': Object.fromEntries(
      Object.entries(data).map(([name, text]) => [name, `sha256:${hash('sha256', text, 'hex')}`]),
    ),
  }
  writeFileSync(`${root}/overlay-images/images.json`, JSON.stringify([entry]))
  writeFileSync(`${root}/overlay-images/images.lock`, '')
}

/**
 * The file name of big data in containers/storage (`makeBigDataBaseName`): a simple name stays, another name becomes
 * `=` and its base64.
 */
function fileName(name: string): string {
  return /^[a-z0-9.]*$/.test(name) ? name : `=${Buffer.from(name).toString('base64')}`
}
