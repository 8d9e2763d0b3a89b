import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../../images/canonical.ts'
import type { Digest } from '../../images/digest.ts'

/** What is known of one built image of a host beside its bytes, and is in none of them. */
export interface Generation {
  /** From 1, the store's own count of a host's images. */
  readonly number: number
  /** The root hash: which image it is. */
  readonly root: Digest
  /** When it was first built, as ISO 8601 has it. */
  readonly built: string
  /** The project's git revision, `-dirty` where files had changed since; null where nobody knows. */
  readonly revision: string | null
}

const FORMAT = 1

/** The host's generations in this store, oldest first. */
export function generationsOf(root: string, host: string): Generation[] {
  const directory = directoryOf(root, host)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((number) => readGeneration(join(directory, `${number}.json`), number))
}

/** Gives an image its number: that of the host's last one where it is the same image, else the next. */
export async function recordGeneration(
  root: string,
  host: string,
  image: Digest,
  facts: () => Promise<Pick<Generation, 'built' | 'revision'>>,
): Promise<number> {
  const last = generationsOf(root, host).at(-1)
  if (last?.root === image) return last.number
  return recordAs((last?.number ?? 0) + 1, directoryOf(root, host), { root: image, ...(await facts()) })
}

/** Whole or not at all, and never over another build's that was faster: a link to a name that is taken fails. */
async function recordAs(number: number, directory: string, record: Omit<Generation, 'number'>): Promise<number> {
  await mkdir(directory, { recursive: true })
  const beside = join(directory, `.${randomUUID()}.new`)
  await writeFile(beside, `${canonicalJson({ format: FORMAT, ...record })}\n`, { flush: true })
  try {
    for (let next = number; ; next += 1) if (await linked(beside, join(directory, `${next}.json`))) return next
  } finally {
    await rm(beside, { force: true })
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** A record that cannot be read is passed over: it is about an image, and no part of one. */
function readGeneration(file: string, number: number): Generation[] {
  try {
    const { format, ...record } = JSON.parse(readFileSync(file, 'utf8')) as Generation & { format: number }
    return format === FORMAT ? [{ ...record, number }] : []
  } catch {
    return []
  }
}

function directoryOf(root: string, host: string): string {
  return join(root, 'generations', host)
}
