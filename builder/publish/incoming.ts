import { UserError } from '../../errors.ts'
import { type Manifest, parseManifest } from '../../images/manifest.ts'
import { verifyText } from '../../images/signature/sshsig.ts'
import { MANIFEST, SIGNATURE } from '../generations/parts.ts'
import { type PublishedFacts, type PublishedFile, type PublishedImage, type Role, SUMS } from './published-image.ts'

/** The host that an image is pulled for, as its own file has it. */
export interface PullingHost {
  readonly name: string
  readonly board: string
  /** Bytes. */
  readonly slotSize: number
  /** Public keys that may sign its images. */
  readonly trusted: readonly string[]
}

/** Bytes of all texts and facts together: they are no place for anything else. */
const TEXT_LIMIT = 64 << 20
/** Names that stay within their directory, and are no others' there. */
const TEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/

/** The texts of an image, as far as they are any and can stand in an output directory. */
export function textsOf({ facts, files }: PublishedImage, host: string, where: string): PublishedFile[] {
  const texts = textsIn(files)
  const taken = ['boot.img', 'slot.img', `${host}.img`, `${host}.img.bmap`]
  // One of each name: of two, one would be checked and the other written.
  const isTwice = (name: string, at: number) => texts.findIndex((each) => each.name === name) < at
  const wrong = texts.find(({ name }, at) => !TEXT_NAME.test(name) || taken.includes(name) || isTwice(name, at))
  if (wrong !== undefined) throw refused(where, `it has a text '${wrong.name}'`)
  const size = texts.reduce((sum, each) => sum + each.size, facts.size)
  if (size > TEXT_LIMIT) throw refused(where, `its texts have ${size} bytes, at most ${TEXT_LIMIT} are wanted`)
  return texts
}

/** The manifest, if a key that may sign this host's images has signed it, and it is of this host. */
export function trustedManifest(
  host: PullingHost,
  { manifest, signature }: { readonly manifest: string; readonly signature: string },
  where: string,
): Manifest {
  if (host.trusted.length === 0) throw nobodyTrusted(host)
  try {
    verifyText(manifest, signature, host.trusted)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError('signature', `the image at '${where}' is not to be trusted: ${error.message}`, {
      hint: `do not use it; if that key is yours, name it in hosts/${host.name}.ts: updates: { signingKeys: ['ssh-ed25519 …'] }`,
      cause: error,
    })
  }
  const found = parseManifest(manifest, where)
  requireOwn(host, found, where)
  return found
}

function requireOwn(host: PullingHost, manifest: Manifest, where: string): void {
  const facts = [
    ['host', manifest.host, host.name],
    ['board', manifest.board, host.board],
  ] as const
  const wrong = facts.find(([, found, wanted]) => found !== wanted)
  if (wrong === undefined) return
  const [what, found, wanted] = wrong
  throw new UserError('host', `the image at '${where}' is for the ${what} '${found}', wanted '${wanted}'`, {
    hint: `take another tag or place, or pull it for whom it is: npm run pull ${manifest.host} -- --from '${where}'`,
  })
}

export interface Claims {
  readonly image: PublishedImage
  readonly facts: PublishedFacts
  readonly manifest: Manifest
  readonly host: PullingHost
}

/** What the manifest does not sign decides nothing: it may only say the same. */
export function requireSame({ image: { files }, facts, manifest, host }: Claims, where: string): void {
  const layers = manifest.slot.layers.map(({ name, size, sha256 }) => ({ name, size, digest: sha256 }))
  requireFiles(filesOf(files, 'layer'), layers, where)
  const signed = Object.entries(manifest.boot).map(([name, { size, sha256 }]) => ({ name, size, digest: sha256 }))
  const own = filesOf(files, 'text').filter(({ name }) => name === MANIFEST || name === SIGNATURE)
  // In which order they lie is not signed, and nothing reads them by it.
  requireFiles(sorted(filesOf(files, 'boot')), sorted([...signed, ...own]), where)
  if (facts.root !== manifest.slot.root) throw refused(where, `its facts name the root hash ${facts.root}`)
  const slot = facts.outputs.find(({ name }) => name === 'slot.img')
  if (slot?.sha256 !== manifest.slot.sha256) throw refused(where, 'its facts name another slot.img')
  if (facts.slotSize === host.slotSize) return
  throw new UserError('size', `the image at '${where}' has slots of ${facts.slotSize} bytes, wanted ${host.slotSize}`, {
    hint: `a disk's slots are for its life: see 'slotSize' and 'disk' in hosts/${host.name}.ts`,
  })
}

type Named = Pick<PublishedFile, 'name' | 'digest' | 'size'>

function requireFiles(found: readonly Named[], signed: readonly Named[], where: string): void {
  const text = (file: Named | undefined) =>
    file === undefined ? 'nothing' : `'${file.name}' of ${file.size} bytes, SHA-256 ${file.digest}`
  const count = Math.max(found.length, signed.length)
  const at = Array.from({ length: count }, (_, index) => index).find(
    (index) => text(found[index]) !== text(signed[index]),
  )
  if (at !== undefined) throw refused(where, `it has ${text(found[at])}, its manifest names ${text(signed[at])}`)
}

function sorted(files: readonly Named[]): Named[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function filesOf(files: readonly PublishedFile[], role: Role): PublishedFile[] {
  return files.filter((file) => file.role === role)
}

/** But for the sums, which are made when the image is put together. */
export function textsIn(files: readonly PublishedFile[]): PublishedFile[] {
  return filesOf(files, 'text').filter(({ name }) => name !== SUMS)
}

function refused(where: string, reason: string): UserError {
  return new UserError('digest', `the image at '${where}' is not what its signed manifest says: ${reason}`, {
    hint: 'do not use it; publish it again where it was built',
  })
}

export function textNamed(texts: readonly PublishedFile[], name: string, where: string): PublishedFile {
  const found = texts.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new UserError('signature', `the image at '${where}' has no '${name}'`, {
    hint: 'publish it again where it was built and signed',
  })
}

function nobodyTrusted({ name }: PullingHost): UserError {
  return new UserError('key', `no key is known here that may sign images of '${name}'`, {
    hint: `name the builder's (its signing_key.pub) in hosts/${name}.ts: updates: { signingKeys: ['ssh-ed25519 …'] }`,
  })
}
