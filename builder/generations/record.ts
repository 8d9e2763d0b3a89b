import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { canonicalJson } from '../../images/canonical.ts'
import type { Digest } from '../../images/digest.ts'
import { parseJsonDocument } from '../../images/json-document.ts'
import { createFile, isTemporaryName, replaceFile } from '../../lib/atomic-file.ts'
import { MANIFEST, type Parts, parts, textOf } from './parts.ts'

/** What is known of one built image of a host beside its bytes, and is in none of them. */
export interface Generation {
  /** From 1, the store's own count of a host's images. */
  readonly number: number
  /** The root hash: which slot it is. */
  readonly root: Digest
  /** When it was first built, as ISO 8601 has it. */
  readonly built: string
  /** The project's git revision, `-dirty` where files had changed since; null where nobody knows. */
  readonly revision: string | null
  /** Undefined where only its name is left: it was collected, or built before parts were kept. */
  readonly parts?: Parts | undefined
}

/** A generation that can be put together again. */
export interface KeptGeneration extends Generation {
  readonly parts: Parts
}

export function isKept(generation: Generation): generation is KeptGeneration {
  return generation.parts !== undefined
}

const facts = { root: z.string(), built: z.string(), revision: z.string().nullable() }
/** Format 1 is a name without parts: what was written before there were any, and what collecting leaves. */
const schema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal(1), ...facts }),
  z.strictObject({ format: z.literal(2), ...facts, parts }),
])

/** A host's record that this program cannot read. */
export interface Unreadable {
  readonly file: string
  readonly why: string
}

/** The host's generations in this store, oldest first. A record that cannot be read is passed over. */
export function generationsOf(root: string, host: string): Generation[] {
  return readGenerations(root, host).generations
}

/** All records of a host, oldest first; for whoever must not take what it cannot read for nothing. */
export function readGenerations(root: string, host: string): { generations: Generation[]; unreadable: Unreadable[] } {
  const generations: Generation[] = []
  const unreadable: Unreadable[] = []
  for (const number of numbersOf(root, host)) {
    const read = readRecord(root, host, number)
    if ('file' in read) unreadable.push(read)
    else generations.push(read)
  }
  return { generations, unreadable }
}

/** The generation of that number; throws where there is none. */
export function generationNumbered(root: string, host: string, number: number): Generation {
  const generations = generationsOf(root, host)
  const found = generations.find((each) => each.number === number)
  if (found !== undefined) return found
  const known = generations.filter(isKept).map((each) => each.number)
  throw new UserError('generation', `${host} has no generation ${number} in this store`, {
    hint: known.length === 0 ? `build one: npm run build:image ${host}` : `there are: ${known.slice(-10).join(', ')}`,
  })
}

/** Throws where only its name is left. */
export function requireKept(host: string, generation: Generation): KeptGeneration {
  if (isKept(generation)) return generation
  const { number, revision } = generation
  const name = `generation ${number} of ${host}`
  throw new UserError('generation', `only the name of ${name} is left: it was collected, or built by an older hangar`, {
    hint:
      revision === null
        ? `those that are kept: npm run generations ${host}`
        : `build its revision anew: git checkout ${revision.replace('-dirty', '')} && npm ci && npm run build:image ${host}`,
  })
}

/** Hosts that have generations in this store. */
export function recordedHosts(root: string): string[] {
  const directory = join(root, 'generations')
  const entries = existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : []
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** What a process that was killed left beside its records: nobody reads it. */
export function unfinishedRecords(root: string): string[] {
  return recordedHosts(root).flatMap((host) => {
    const directory = directoryOf(root, host)
    const names = readdirSync(directory).filter((name) => isTemporaryName(name) || UNFINISHED.test(name))
    return names.map((name) => join(directory, name))
  })
}

/** As earlier versions of hangar named temporary files. */
const UNFINISHED = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new$/

/** Which image it is: the same slot with other boot files is another generation. */
export interface Identity {
  readonly root: Digest
  /** Digest of the manifest, which names every byte of the image but the signature's. */
  readonly manifest: Digest
}

/**
 * Gives an image its number: that of the host's last one where it is the same image, else the next. The record of that
 * one stays, but what it lacks and this description has: a name's parts, the origin of what was pulled.
 */
export async function recordGeneration(
  root: string,
  host: string,
  image: Identity,
  describe: () => Promise<Omit<KeptGeneration, 'number' | 'root'>>,
): Promise<number> {
  const last = lastOf(root, host)
  if (last !== undefined && isImage(last, image)) {
    if (isWhole(last)) return last.number
    const parts = completed(last.parts, (await describe()).parts)
    if (parts !== last.parts) await replaceRecord(root, host, { ...last, parts })
    return last.number
  }
  const record = { root: image.root, ...(await describe()) }
  return addRecord(root, host, (numbersOf(root, host).at(-1) ?? 0) + 1, record)
}

/** Whether it knows all that a build could tell: whoever only pulled it has no origin. */
function isWhole({ parts: known }: Generation): boolean {
  return known !== undefined && known.origin !== null
}

/** Only the origin is taken: signatures of one image may differ, and the one that came with it stays. */
function completed(known: Parts | undefined, now: Parts): Parts {
  if (known === undefined) return now
  return now.origin === null ? known : { ...known, origin: now.origin }
}

function isImage({ root, parts: known }: Generation, image: Identity): boolean {
  if (root !== image.root) return false
  return known === undefined || textOf(known, MANIFEST)?.digest === image.manifest
}

/** Leaves of a generation only its name: from now on nothing in the store is there for its sake. */
export async function forgetParts(root: string, host: string, { parts: _, ...name }: Generation): Promise<void> {
  await replaceRecord(root, host, name)
}

/** Takes the next free number. Of two builds that record at the same time, each gets its own. */
async function addRecord(
  root: string,
  host: string,
  number: number,
  record: Omit<Generation, 'number'>,
): Promise<number> {
  await mkdir(directoryOf(root, host), { recursive: true })
  for (let next = number; ; next += 1) {
    if (await createFile(recordFile(root, host, next), recordText(record))) return next
  }
}

async function replaceRecord(root: string, host: string, { number, ...record }: Generation): Promise<void> {
  await replaceFile(recordFile(root, host, number), recordText(record))
}

function recordText(record: Omit<Generation, 'number'>): string {
  return `${canonicalJson({ format: record.parts === undefined ? 1 : 2, ...record })}\n`
}

function lastOf(root: string, host: string): Generation | undefined {
  for (const number of numbersOf(root, host).reverse()) {
    const read = readRecord(root, host, number)
    if (!('file' in read)) return read
  }
  return undefined
}

function numbersOf(root: string, host: string): number[] {
  const directory = directoryOf(root, host)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

function readRecord(root: string, host: string, number: number): Generation | Unreadable {
  const file = recordFile(root, host, number)
  try {
    const fail = (_: unknown, reason: string) => new Error(reason)
    const text = readFileSync(file, 'utf8')
    const { format: _, ...record } = parseJsonDocument(text, { formats: [1, 2], schema, fail })
    return { number, ...record, root: record.root as Digest }
  } catch (error) {
    return { file, why: (error as Error).message }
  }
}

function recordFile(root: string, host: string, number: number): string {
  return join(directoryOf(root, host), `${number}.json`)
}

function directoryOf(root: string, host: string): string {
  return join(root, 'generations', host)
}
