import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Digest, parseDigest, short } from '../../images/digest.ts'

/** The address of a remote repository: a repository of a registry, or a directory with an OCI image layout. */
export type Remote =
  | { readonly kind: 'registry'; readonly registry: string; readonly name: string }
  | { readonly kind: 'directory'; readonly directory: string }

/** The tag or digest of an image in the remote repository; undefined for the host's tag. */
export type Reference = { readonly tag: string } | { readonly digest: Digest } | undefined

export interface RemoteReference {
  readonly remote: Remote
  readonly reference: Reference
}

const NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

/** Parses `oci://REGISTRY/NAME` or a directory, with `:TAG` or `@sha256:DIGEST` at the end of either. */
export function parseRemote(text: string): RemoteReference {
  return text.startsWith('oci://') ? parseRegistry(text) : parseDirectory(text)
}

/** The address of a remote repository, in the form that users type. */
export function remoteText(remote: Remote): string {
  return remote.kind === 'directory' ? remote.directory : `oci://${remote.registry}/${remote.name}`
}

/** The tag of the host's newest published image. */
export function hostTag(host: string): string {
  return host
}

/**
 * The tag of one image. It contains the root hash and not the generation number, because each store has its own
 * numbers.
 */
export function imageTag(host: string, root: Digest): string {
  return `${host}-${short(root)}`
}

function parseRegistry(text: string): RemoteReference {
  const [, registry = '', rest = ''] = /^oci:\/\/([^/]*)\/(.*)$/.exec(text) ?? []
  if (registry.includes('@')) throw credentialsGiven()
  const { before: name, reference } = cutReference(rest)
  const isRegistry = /^([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?$/.test(registry) && URL.canParse(`http://${registry}`)
  if (!isRegistry || !NAME.test(name)) throw notARemote(text)
  return { remote: { kind: 'registry', registry, name }, reference }
}

/** Does not search for a tag in the name of an existing directory: the name may contain a colon. */
function parseDirectory(text: string): RemoteReference {
  if (text === '' || /^[a-z]+:\/\//.test(text)) throw notARemote(text)
  const { before, reference } = existsSync(text) ? { before: text, reference: undefined } : cutReference(text)
  return { remote: { kind: 'directory', directory: resolve(before) }, reference }
}

function cutReference(text: string): { before: string; reference: Reference } {
  const digest = /^(.*)@sha256:([^/]*)$/.exec(text)
  if (digest !== null) return { before: digest[1] ?? '', reference: { digest: parseDigest(digest[2] ?? '') } }
  const tag = /^(.+):([^/:]+)$/.exec(text)
  if (tag === null || !TAG.test(tag[2] ?? '')) return { before: text, reference: undefined }
  return { before: tag[1] ?? '', reference: { tag: tag[2] ?? '' } }
}

/**
 * Refuses a password in the address: other processes can read the arguments, and the shell keeps them in its history.
 */
function credentialsGiven(): UserError {
  return new UserError('usage', 'the address of the registry contains a user name or a password', {
    hint: 'remove the user name and the password, then log in with podman login or docker login, or set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD',
  })
}

function notARemote(text: string): UserError {
  return new UserError(
    'usage',
    `'${text}' is not a remote repository: wanted oci://REGISTRY/NAME[:TAG] or a directory`,
    {
      hint: 'for example: oci://registry.lab/hangar, oci://[fd00::5]:5000/hangar',
    },
  )
}
