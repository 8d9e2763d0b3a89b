import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson } from '../../images/canonical.ts'
import type { Digest } from '../../images/digest.ts'
import { parseJsonDocument } from '../../images/json-document.ts'
import { createFile, isTemporaryName, replaceFile } from '../../lib/atomic-file.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { MANIFEST, type Parts, parts, textOf } from './parts.ts'

/** The store's record of one built image of a host. */
export interface Generation {
  /** The number of the generation: each store counts the images of a host from 1. */
  readonly number: number
  /** Identifies the content of the slot; on a Pi it is the root hash. */
  readonly root: Digest
  /** The time of the first build, in ISO 8601. */
  readonly built: string
  /** The project's git revision, with `-dirty` if files had changed. Null if hangar does not know the revision. */
  readonly revision: string | null
  /**
   * The files of the image. Undefined if `gc` deleted them, and in the records of old versions of hangar, which kept no
   * files.
   */
  readonly parts?: Parts | undefined
}

/** A generation whose files are in the store, so that hangar can assemble it again. */
export interface KeptGeneration extends Generation {
  readonly parts: Parts
}

export function isKept(generation: Generation): generation is KeptGeneration {
  return generation.parts !== undefined
}

const facts = { root: z.string(), built: z.string(), revision: z.string().nullable() }
/** Format 1 is a record without `parts`, which `gc` leaves when it deletes the files of a generation. */
const schema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal(1), ...facts }),
  z.strictObject({ format: z.literal(2), ...facts, parts }),
])

/** A record that this version of hangar cannot read. */
export interface UnreadableRecord {
  readonly file: string
  readonly why: string
}

/** The host's generations in this store, oldest first. Skips unreadable records. */
export function generationsOf(root: string, host: string): Generation[] {
  return readGenerations(root, host).generations
}

/**
 * All records of a host, oldest first, and the unreadable records. `gc` must not treat unreadable records as absent.
 */
export function readGenerations(
  root: string,
  host: string,
): { generations: Generation[]; unreadable: UnreadableRecord[] } {
  const generations: Generation[] = []
  const unreadable: UnreadableRecord[] = []
  for (const number of numbersOf(root, host)) {
    const read = readRecord(root, host, number)
    if ('file' in read) unreadable.push(read)
    else generations.push(read)
  }
  return { generations, unreadable }
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

/** Temporary files that killed processes left among the records. No program reads them. */
export function unfinishedRecords(root: string): string[] {
  return recordedHosts(root).flatMap((host) => {
    const directory = directoryOf(root, host)
    const names = readdirSync(directory).filter((name) => isTemporaryName(name) || UNFINISHED.test(name))
    return names.map((name) => join(directory, name))
  })
}

/** The form in which earlier versions of hangar named temporary files. */
const UNFINISHED = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new$/

/** Identifies an image. Two images with the same slot and different boot files are two generations. */
export interface Identity {
  readonly root: Digest
  /** The digest of the manifest, which covers the whole image except the signature. */
  readonly manifest: Digest
}

/**
 * Records an image and returns its generation number. If the host's last generation is the same image, this is its
 * number; otherwise it is the next number. An existing record gains the fields that it lacks: deleted `parts`, or the
 * `origin` of a pulled image.
 */
export async function recordGeneration(
  root: string,
  host: string,
  image: Identity,
  describe: () => Promise<Omit<KeptGeneration, 'number' | 'root'>>,
): Promise<number> {
  const last = lastOf(root, host)
  if (last !== undefined && isImage(last, image)) {
    if (isComplete(last)) return last.number
    const parts = completed(last.parts, (await describe()).parts)
    if (parts !== last.parts) await replaceRecord(root, host, { ...last, parts })
    return last.number
  }
  const record = { root: image.root, ...(await describe()) }
  return addRecord(root, host, (numbersOf(root, host).at(-1) ?? 0) + 1, record)
}

/** Whether the record has every field that a build can fill in. The record of a pulled image lacks `origin`. */
function isComplete({ parts: known }: Generation): boolean {
  return known !== undefined && known.origin !== null
}

/** Adds only the origin to the record, and keeps the signature that came with the image. */
function completed(known: Parts | undefined, now: Parts): Parts {
  if (known === undefined) return now
  return now.origin === null ? known : { ...known, origin: now.origin }
}

function isImage({ root, parts: known }: Generation, image: Identity): boolean {
  if (root !== image.root) return false
  return known === undefined || textOf(known, MANIFEST)?.digest === image.manifest
}

/** Removes the field `parts` from a generation's record, so that `gc` may delete the files. */
export async function forgetParts(root: string, host: string, { parts: _, ...rest }: Generation): Promise<void> {
  await replaceRecord(root, host, rest)
}

/** Takes the next free number. Two builds that record at the same time get different numbers. */
async function addRecord(
  root: string,
  host: string,
  number: number,
  record: Omit<Generation, 'number'>,
): Promise<number> {
  makeDirectory(directoryOf(root, host))
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

function readRecord(root: string, host: string, number: number): Generation | UnreadableRecord {
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
