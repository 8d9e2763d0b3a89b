import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Digest, parseDigest } from '../../images/digest.ts'

/** Where images are published: a repository of a registry, or a directory that is an OCI image layout. */
export type Place =
  | { readonly kind: 'registry'; readonly registry: string; readonly name: string }
  | { readonly kind: 'directory'; readonly directory: string }

/** Which image of a place; undefined for what the host's own tag names. */
export type Reference = { readonly tag: string } | { readonly digest: Digest } | undefined

export interface PlaceAndReference {
  readonly place: Place
  readonly reference: Reference
}

const NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

/** `oci://REGISTRY/NAME`, or a directory; either with `:TAG`, or `@sha256:DIGEST`. */
export function parsePlace(text: string): PlaceAndReference {
  return text.startsWith('oci://') ? parseRegistry(text) : parseDirectory(text)
}

export function placeText(place: Place): string {
  return place.kind === 'directory' ? place.directory : `oci://${place.registry}/${place.name}`
}

function parseRegistry(text: string): PlaceAndReference {
  const [, registry = '', rest = ''] = /^oci:\/\/([^/]*)\/(.*)$/.exec(text) ?? []
  if (registry.includes('@')) throw credentialsGiven()
  const { before: name, reference } = cutReference(rest)
  if (!/^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d+)?$/.test(registry) || !NAME.test(name)) throw notAPlace(text)
  return { place: { kind: 'registry', registry, name }, reference }
}

/** A directory whose own name has a colon is taken as it stands. */
function parseDirectory(text: string): PlaceAndReference {
  if (text === '' || /^[a-z]+:\/\//.test(text)) throw notAPlace(text)
  const { before, reference } = existsSync(text) ? { before: text, reference: undefined } : cutReference(text)
  return { place: { kind: 'directory', directory: resolve(before) }, reference }
}

function cutReference(text: string): { before: string; reference: Reference } {
  const digest = /^(.*)@sha256:([^/]*)$/.exec(text)
  if (digest !== null) return { before: digest[1] ?? '', reference: { digest: parseDigest(digest[2] ?? '') } }
  const tag = /^(.+):([^/:]+)$/.exec(text)
  if (tag === null || !TAG.test(tag[2] ?? '')) return { before: text, reference: undefined }
  return { before: tag[1] ?? '', reference: { tag: tag[2] ?? '' } }
}

/** An argument list is for every process of the machine to read, and so is a shell's history. */
function credentialsGiven(): UserError {
  return new UserError('usage', 'a registry is given with a name or a password in it', {
    hint: 'take them out: docker login or podman login keeps them, or set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD',
  })
}

function notAPlace(text: string): UserError {
  return new UserError('usage', `cannot publish to or pull from '${text}'`, {
    hint: 'give oci://REGISTRY/NAME[:TAG], for example oci://registry.lab/hangar, or a directory',
  })
}
