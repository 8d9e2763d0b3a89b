import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { identityMembers, type Trust } from '../../images/identity/members.ts'
import {
  ownKeysText,
  type PrivateIdentity,
  parsePrivateIdentity,
  privateIdentityFile,
  privateIdentityText,
  publicOf,
} from '../../images/identity/private-identity.ts'
import {
  type PublicIdentity,
  parsePublicIdentity,
  publicIdentityFile,
  publicIdentityText,
} from '../../images/identity/public-identity.ts'
import { formatPrivateKey, keyFromSeed } from '../../images/signature/openssh-key.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import { withFileLock } from '../../lib/file-lock.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { tarBytes } from '../../lib/tar.ts'
import { decryptWith, encryptTo, makeAgeKey } from './age.ts'
import { existingOwnerAgeKey, ownerAgeKey } from './owner-age-key.ts'

/** Where identities lie and who may read them. */
export interface IdentityPlace {
  /** The project's own directory. */
  readonly project: string
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
}

export type Rotated = 'ssh' | 'age'

/** What became of a host's identity. */
export interface IdentityOutcome {
  /** `finished`: the private half was there from a run that was cut, and is published now. */
  readonly kind: 'made' | 'there' | 'finished' | 'rotated' | 'adopted'
  readonly identity: PublicIdentity
}

/** The public half; undefined for a host that has none yet. */
export function readPublicIdentity(project: string, host: string): PublicIdentity | undefined {
  const name = publicIdentityFile(host)
  const file = join(project, name)
  return existsSync(file) ? parsePublicIdentity(readFileSync(file, 'utf8'), name) : undefined
}

/** Makes a host's identity where there is none; one that is there stays as it is. */
export function makeHostIdentity(place: IdentityPlace, host: string): Promise<IdentityOutcome> {
  return alone(place, async () => {
    const known = readPublicIdentity(place.project, host)
    const own = await readPrivate(place, host)
    if (own === undefined && known !== undefined) return { kind: 'there', identity: known }
    if (own === undefined) return { kind: 'made', identity: await keep(place, await newIdentity(host)) }
    if (known !== undefined && isSame(known, publicOf(own))) return { kind: 'there', identity: known }
    return { kind: 'finished', identity: await publish(place, own) }
  })
}

/** Puts a new key in front of the old ones, which stay: a reverted slot still works. */
export function rotateHostIdentity(place: IdentityPlace, host: string, what: Rotated): Promise<IdentityOutcome> {
  return alone(place, async () => {
    const own = await readPrivate(place, host)
    if (own === undefined) throw nothingToRotate(place, host)
    const known = readPublicIdentity(place.project, host)
    // A run that was cut has made the new key already.
    if (known === undefined || !isSame(known, publicOf(own)))
      return { kind: 'finished', identity: await publish(place, own) }
    return { kind: 'rotated', identity: await keep(place, await withNew(own, what)) }
  })
}

/**
 * Takes over the SSH host key of a host that made its identity itself: its private half never leaves it. A host that was
 * set up anew has another: the former one is nobody's any more.
 */
export function adoptHostIdentity(place: IdentityPlace, host: string, ssh: string): Promise<IdentityOutcome> {
  return alone(place, async () => {
    const known = readPublicIdentity(place.project, host)
    if (known?.ssh.includes(ssh)) return { kind: 'there', identity: known }
    refuseSecond(place, host)
    const identity: PublicIdentity = { format: 1, ssh: [ssh], age: [] }
    await replaceFile(join(place.project, publicIdentityFile(host)), publicIdentityText(identity))
    return { kind: 'adopted', identity }
  })
}

/** The tar of a host's identity partition, in memory alone; undefined where this project has no private half. */
export async function hostIdentityTar(
  place: IdentityPlace,
  host: string,
  trust: Trust,
): Promise<Uint8Array | undefined> {
  const own = await readPublished(place, host)
  return own === undefined ? undefined : tarBytes(identityMembers(own, trust))
}

/** A host's own keys as it takes them over the network, in memory alone; undefined where this project has no private half. */
export async function hostOwnKeys(place: IdentityPlace, host: string): Promise<Uint8Array | undefined> {
  const own = await readPublished(place, host)
  return own === undefined ? undefined : Buffer.from(ownKeysText(own))
}

/** A key that is not published yet would lock out every controller. */
async function readPublished(place: IdentityPlace, host: string): Promise<PrivateIdentity | undefined> {
  const own = await readPrivate(place, host)
  if (own === undefined) return undefined
  const known = readPublicIdentity(place.project, host)
  if (known !== undefined && isSame(known, publicOf(own))) return own
  throw new UserError('key', `'${publicIdentityFile(host)}' does not say what is in '${privateIdentityFile(host)}'`, {
    hint: `a run that was cut, or half of a commit: npm run init ${host} publishes it`,
  })
}

function alone<T>({ project }: IdentityPlace, use: () => Promise<T>): Promise<T> {
  return withFileLock(join(project, 'hosts'), use)
}

async function newIdentity(host: string): Promise<PrivateIdentity> {
  const machineId = randomBytes(16).toString('hex')
  return { format: 1, host, ssh: [newHostKey(host)], age: [await makeAgeKey()], machineId }
}

async function withNew(own: PrivateIdentity, what: Rotated): Promise<PrivateIdentity> {
  return what === 'ssh'
    ? { ...own, ssh: [newHostKey(own.host), ...own.ssh] }
    : { ...own, age: [await makeAgeKey(), ...own.age] }
}

function newHostKey(host: string): string {
  return formatPrivateKey(keyFromSeed(randomBytes(32), host))
}

/** Order is safety: what is published has a private half that was read back from the disk and decrypted. */
async function keep(place: IdentityPlace, own: PrivateIdentity): Promise<PublicIdentity> {
  const { recipient } = await ownerAgeKey(place)
  const text = privateIdentityText(own)
  await replaceFile(join(place.project, privateIdentityFile(own.host)), await encryptTo([recipient], text))
  const kept = await readPrivate(place, own.host)
  if (kept === undefined || privateIdentityText(kept) !== text)
    throw new Error(`'${privateIdentityFile(own.host)}' is not what was written`)
  return publish(place, kept)
}

async function publish({ project }: IdentityPlace, own: PrivateIdentity): Promise<PublicIdentity> {
  const identity = publicOf(own)
  await replaceFile(join(project, publicIdentityFile(own.host)), publicIdentityText(identity))
  return identity
}

async function readPrivate({ project, env }: IdentityPlace, host: string): Promise<PrivateIdentity | undefined> {
  const where = privateIdentityFile(host)
  const file = join(project, where)
  if (!existsSync(file)) return undefined
  const key = await existingOwnerAgeKey(env, where)
  const text = await decryptWith(key.identity, readFileSync(file, 'utf8'), { where, keyFile: key.file })
  const own = parsePrivateIdentity(text, where)
  if (own.host === host) return own
  throw new UserError('key', `'${where}' holds the identity of '${own.host}'`, {
    hint: `two hosts never share one: remove it, and make another: npm run init ${host}`,
  })
}

function isSame(one: PublicIdentity, other: PublicIdentity): boolean {
  return publicIdentityText(one) === publicIdentityText(other)
}

function nothingToRotate({ project }: IdentityPlace, host: string): UserError {
  const known = readPublicIdentity(project, host)
  if (known === undefined) {
    return new UserError('key', `${host} has no identity yet: there is nothing to rotate`, {
      hint: `npm run init ${host}`,
    })
  }
  return new UserError('key', `${host} made its identity itself: its private half is on its own disk alone`, {
    hint: `for one that this project makes: remove ${publicIdentityFile(host)}, npm run init ${host}, and flash its disk anew`,
  })
}

function refuseSecond({ project }: IdentityPlace, host: string): void {
  const own = privateIdentityFile(host)
  if (!existsSync(join(project, own))) return
  throw new UserError('key', `${host} has an identity that was made here, in '${own}', and shows another key`, {
    hint: `was its key renewed from another copy of the project? git pull. Otherwise flash its disk anew; or, if it shall keep its own, remove ${own} and ${publicIdentityFile(host)} first`,
  })
}
