import { UserError } from '../../errors.ts'
import { verifyText } from '../../images/signature/sshsig.ts'
import type { NamedObject, Platform, SignedFacts } from '../platforms/platform.ts'
import { FIRST_PLATFORM, platformNamed } from '../platforms/registry.ts'
import { type PublishedFacts, type PublishedFile, type PublishedImage, type Role, SUMS } from './published-image.ts'

/** What the host file states about the host of a pulled image. */
export interface PullingHost {
  readonly name: string
  readonly platform: string
  readonly board: string
  /** The slot size in the host file, in bytes. */
  readonly slotSize: number
  /** The public keys that may sign images of this host. */
  readonly trusted: readonly string[]
}

/** The largest total size of all texts and facts of an image, in bytes. */
const TEXT_LIMIT = 64 << 20
/** The form of a safe file name: no directory, and no leading dot. */
const TEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/

/** The texts of an image. Throws 'digest' for a text whose name or size is not allowed in the output directory. */
export function textsOf(
  { facts, files }: PublishedImage,
  { name: host, platform }: Pick<PullingHost, 'name' | 'platform'>,
  where: string,
): PublishedFile[] {
  const texts = textsIn(files)
  const taken = imageNames(platformNamed(platform), host)
  // Refuses two texts with the same name: hangar would verify the first text and then overwrite it with the second.
  const isTwice = (name: string, at: number) => texts.findIndex((each) => each.name === name) < at
  const wrong = texts.find(({ name }, at) => !TEXT_NAME.test(name) || taken.includes(name) || isTwice(name, at))
  if (wrong !== undefined) throw refused(where, `it has a text named '${wrong.name}'`)
  const size = texts.reduce((sum, each) => sum + each.size, facts.size)
  if (size > TEXT_LIMIT) throw refused(where, `its texts have ${size} bytes, wanted at most ${TEXT_LIMIT}`)
  return texts
}

function imageNames({ images }: Platform, host: string): string[] {
  const { disk, slot, boot, others } = images(host)
  return [disk, slot, ...(boot === undefined ? [] : [boot]), ...others]
}

/** The facts that the manifest signs. Throws unless a trusted key signed the manifest for this host and its board. */
export function trustedFacts(
  host: PullingHost,
  { manifest, signature }: { readonly manifest: string; readonly signature: string },
  where: string,
): SignedFacts {
  if (host.trusted.length === 0) throw noTrustedKeys(host)
  try {
    verifyText(manifest, signature, host.trusted)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError('signature', `cannot verify the image at '${where}': ${error.message}`, {
      hint: `do not use the image; if the key is yours, add it to hosts/${host.name}.ts: updates: { signingKeys: ['ssh-ed25519 …'] }`,
      cause: error,
    })
  }
  const found = platformNamed(host.platform).readManifest(manifest, where)
  requireOwn(host, found, where)
  return found
}

function requireOwn(host: PullingHost, signed: SignedFacts, where: string): void {
  const facts = [
    ['host', signed.host, host.name],
    ['board', signed.board, host.board],
  ] as const
  const wrong = facts.find(([, found, wanted]) => found !== wanted)
  if (wrong === undefined) return
  const [what, found, wanted] = wrong
  throw new UserError('host', `the image at '${where}' is for the ${what} '${found}', wanted '${wanted}'`, {
    hint: `choose another tag or source, or pull it for its own host: npm run pull ${signed.host} -- --from '${where}'`,
  })
}

export interface Claims {
  readonly image: PublishedImage
  readonly facts: PublishedFacts
  readonly signed: SignedFacts
  readonly host: PullingHost
}

/** Throws unless all facts outside the signed manifest agree with the manifest. */
export function requireSame({ image: { files }, facts, signed, host }: Claims, where: string): void {
  requireFiles(filesOf(files, 'layer'), signed.layers, where)
  const copies = filesOf(files, 'text').filter(({ name }) => signed.bootTexts.includes(name))
  // Compares boot files without their order: the manifest does not sign the order, and no program depends on it.
  requireFiles(sorted(filesOf(files, 'boot')), sorted([...signed.bootFiles, ...copies]), where)
  const platform = facts.platform ?? FIRST_PLATFORM
  if (platform !== host.platform) throw refused(where, `its facts name the platform '${platform}'`)
  if (facts.root !== signed.root) throw refused(where, `its facts name the root hash ${facts.root}`)
  for (const [name, sha256] of Object.entries(signed.outputs)) {
    if (facts.outputs.find((each) => each.name === name)?.sha256 === sha256) continue
    throw refused(where, `its facts name another ${name}`)
  }
  if (facts.slotSize === host.slotSize) return
  throw new UserError('size', `the image at '${where}' has slots of ${facts.slotSize} bytes, wanted ${host.slotSize}`, {
    hint: `the slot size of a written disk cannot change: see 'slotSize' and 'disk' in hosts/${host.name}.ts`,
  })
}

function requireFiles(found: readonly NamedObject[], signed: readonly NamedObject[], where: string): void {
  const text = (file: NamedObject | undefined) =>
    file === undefined ? 'nothing' : `'${file.name}' of ${file.size} bytes, SHA-256 ${file.digest}`
  const count = Math.max(found.length, signed.length)
  const at = Array.from({ length: count }, (_, index) => index).find(
    (index) => text(found[index]) !== text(signed[index]),
  )
  if (at !== undefined) throw refused(where, `it has ${text(found[at])}, its manifest names ${text(signed[at])}`)
}

function sorted(files: readonly NamedObject[]): NamedObject[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function filesOf(files: readonly PublishedFile[], role: Role): PublishedFile[] {
  return files.filter((file) => file.role === role)
}

/** The texts of an image, except SHA256SUMS, which hangar writes when it assembles the image. */
export function textsIn(files: readonly PublishedFile[]): PublishedFile[] {
  return filesOf(files, 'text').filter(({ name }) => name !== SUMS)
}

function refused(where: string, reason: string): UserError {
  return new UserError('digest', `the image at '${where}' does not match its signed manifest: ${reason}`, {
    hint: 'do not use the image; publish it again where it was built',
  })
}

export function textNamed(texts: readonly PublishedFile[], name: string, where: string): PublishedFile {
  const found = texts.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new UserError('signature', `the image at '${where}' has no '${name}'`, {
    hint: 'publish the image again where it was built and signed',
  })
}

function noTrustedKeys({ name }: PullingHost): UserError {
  return new UserError('key', `no key is trusted to sign images of '${name}'`, {
    hint: `add the builder's key (its signing_key.pub) to hosts/${name}.ts: updates: { signingKeys: ['ssh-ed25519 …'] }`,
  })
}
