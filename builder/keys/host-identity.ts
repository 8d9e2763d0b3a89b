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
import type { Reporter } from '../../lib/reporter.ts'
import { tarBytes } from '../../lib/tar.ts'
import { decryptWith, encryptTo, makeAgeKey } from './age.ts'
import { withHostsLock } from './hosts-lock.ts'
import { existingOwnerAgeKey, ownerAgeKey } from './owner-age-key.ts'

/** The project with the identities in `hosts/`, and the environment that names the owner's keys. */
export interface IdentityContext {
  /** The project's own directory. */
  readonly project: string
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
}

export type Rotated = 'ssh' | 'age'

/** What `init` did with a host's identity. */
export interface IdentityOutcome {
  /** `finished`: an interrupted run had made the private half, and this run wrote the public half. */
  readonly kind: 'made' | 'there' | 'finished' | 'rotated' | 'adopted'
  readonly identity: PublicIdentity
}

/** The public half of a host's identity; undefined when the host has none yet. */
export function readPublicIdentity(project: string, host: string): PublicIdentity | undefined {
  const name = publicIdentityFile(host)
  const file = join(project, name)
  return existsSync(file) ? parsePublicIdentity(readFileSync(file, 'utf8'), name) : undefined
}

/** Makes the identity of a host that has none. An existing identity stays unchanged. */
export function makeHostIdentity(context: IdentityContext, host: string): Promise<IdentityOutcome> {
  return withHostsLock(context, async () => {
    const known = readPublicIdentity(context.project, host)
    const own = await readPrivate(context, host)
    if (own === undefined && known !== undefined) return { kind: 'there', identity: known }
    if (own === undefined) return { kind: 'made', identity: await keep(context, await newIdentity(host)) }
    if (known !== undefined && isSame(known, publicOf(own))) return { kind: 'there', identity: known }
    return { kind: 'finished', identity: await publish(context, own) }
  })
}

/** Puts a new key before the old ones. Old keys stay, so that a reverted slot still works. */
export function rotateHostIdentity(context: IdentityContext, host: string, what: Rotated): Promise<IdentityOutcome> {
  return withHostsLock(context, async () => {
    const own = await readPrivate(context, host)
    if (own === undefined) throw nothingToRotate(context, host)
    const known = readPublicIdentity(context.project, host)
    // An interrupted run has already created the new private key.
    if (known === undefined || !isSame(known, publicOf(own)))
      return { kind: 'finished', identity: await publish(context, own) }
    return { kind: 'rotated', identity: await keep(context, await withNew(own, what)) }
  })
}

/**
 * Adopts the SSH host key of a host that made its own identity: the private half never leaves the host. If the host was
 * set up again, its new key replaces the former key.
 */
export function adoptHostIdentity(context: IdentityContext, host: string, ssh: string): Promise<IdentityOutcome> {
  return withHostsLock(context, async () => {
    const known = readPublicIdentity(context.project, host)
    if (known?.ssh.includes(ssh)) return { kind: 'there', identity: known }
    refuseSecond(context, host)
    const identity: PublicIdentity = { format: 1, ssh: [ssh], age: [] }
    await replaceFile(join(context.project, publicIdentityFile(host)), publicIdentityText(identity))
    return { kind: 'adopted', identity }
  })
}

/** The tar for a host's identity partition, only in memory; undefined when the project has no private half. */
export async function hostIdentityTar(
  context: IdentityContext,
  host: string,
  trust: Trust,
): Promise<Uint8Array | undefined> {
  const own = await readPublished(context, host)
  return own === undefined ? undefined : tarBytes(identityMembers(own, trust))
}

/** A host's keys in the format for the network, only in memory; undefined when the project has no private half. */
export async function hostOwnKeys(context: IdentityContext, host: string): Promise<Uint8Array | undefined> {
  const own = await readPublished(context, host)
  return own === undefined ? undefined : Buffer.from(ownKeysText(own))
}

/** Refuses a key whose public half is not in the project: no controller would accept it. */
async function readPublished(context: IdentityContext, host: string): Promise<PrivateIdentity | undefined> {
  const own = await readPrivate(context, host)
  if (own === undefined) return undefined
  const known = readPublicIdentity(context.project, host)
  if (known !== undefined && isSame(known, publicOf(own))) return own
  throw new UserError('key', `'${publicIdentityFile(host)}' does not match '${privateIdentityFile(host)}'`, {
    hint: `write the public half of the identity again: npm run init ${host}`,
  })
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

/**
 * Writes the public half last, after it has read back and decrypted the private half: a published key must never lack
 * its private half.
 */
async function keep(context: IdentityContext, own: PrivateIdentity): Promise<PublicIdentity> {
  const { recipient } = await ownerAgeKey(context)
  const text = privateIdentityText(own)
  await replaceFile(join(context.project, privateIdentityFile(own.host)), await encryptTo([recipient], text))
  const kept = await readPrivate(context, own.host)
  if (kept === undefined || privateIdentityText(kept) !== text)
    throw new Error(`'${privateIdentityFile(own.host)}' does not contain what was written`)
  return publish(context, kept)
}

async function publish({ project }: IdentityContext, own: PrivateIdentity): Promise<PublicIdentity> {
  const identity = publicOf(own)
  await replaceFile(join(project, publicIdentityFile(own.host)), publicIdentityText(identity))
  return identity
}

async function readPrivate({ project, env }: IdentityContext, host: string): Promise<PrivateIdentity | undefined> {
  const where = privateIdentityFile(host)
  const file = join(project, where)
  if (!existsSync(file)) return undefined
  const key = await existingOwnerAgeKey(env, where)
  const text = await decryptWith(key.identity, readFileSync(file, 'utf8'), { where, keyFile: key.file })
  const own = parsePrivateIdentity(text, where)
  if (own.host === host) return own
  throw new UserError('key', `'${where}' contains the identity of '${own.host}', wanted '${host}'`, {
    hint: `two hosts cannot share an identity: rm ${where} && npm run init ${host}`,
  })
}

function isSame(one: PublicIdentity, other: PublicIdentity): boolean {
  return publicIdentityText(one) === publicIdentityText(other)
}

function nothingToRotate({ project }: IdentityContext, host: string): UserError {
  const known = readPublicIdentity(project, host)
  if (known === undefined) {
    return new UserError('key', `cannot rotate the keys of ${host}: the host has no identity yet`, {
      hint: `create an identity: npm run init ${host}`,
    })
  }
  return new UserError('key', `cannot rotate the keys of ${host}: the private half is only on the host's own disk`, {
    hint: `to replace the identity: rm ${publicIdentityFile(host)} && npm run init ${host}, then write the disk again`,
  })
}

function refuseSecond({ project }: IdentityContext, host: string): void {
  const own = privateIdentityFile(host)
  if (!existsSync(join(project, own))) return
  throw new UserError('key', `cannot adopt the key of ${host}: the project has another identity for it in '${own}'`, {
    hint: `git pull, in case another checkout rotated the key. Otherwise write the disk again, or keep the host's key: rm ${own} ${publicIdentityFile(host)}`,
  })
}
