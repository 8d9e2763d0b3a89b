import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { Digester } from '../../images/digest.ts'
import { during, type Reporter } from '../../lib/reporter.ts'
import { readState } from '../outputs/state.ts'

/** Makes `target` a compressed copy of `file`; the same bytes for the same bytes. */
export type CompressFile = (file: string, target: string) => Promise<void>

export interface ExportRequest {
  readonly host: string
  /** `out/HOST`. */
  readonly output: string
  /** The directory to be: new, or one that an earlier export made. */
  readonly target: string
  readonly compress: CompressFile
  readonly reporter: Reporter
}

export interface ExportedFile {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

const SUMS = 'SHA256SUMS'
/** What the disk image holds already. */
const WITHIN_IMAGE = ['slot.img', 'boot.img']

/** A built image as it is handed around: the disk compressed, its block map, all that is said of it, and their sums. */
export async function exportImage(request: ExportRequest): Promise<ExportedFile[]> {
  const { host, target } = request
  const names = wholeOutputs(request)
  refuseForeign(host, target)
  await mkdir(dirname(target), { recursive: true })
  // A new directory of its own: one that is there already belongs to the owner.
  const beside = await mkdtemp(`${target}.new-`)
  await chmod(beside, 0o755)
  try {
    for (const name of names) await bring(request, name, beside)
    const files = await summed(beside)
    await writeFile(join(beside, SUMS), files.map(({ sha256, name }) => `${sha256}  ${name}\n`).join(''), {
      flush: true,
    })
    // Only what is whole takes the place of what was there.
    await rm(target, { recursive: true, force: true })
    await rename(beside, target)
    return files
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/** The files of a build that ended; those of one that was cut short do not go together. */
function wholeOutputs({ host, output }: ExportRequest): string[] {
  const names = Object.keys(readState(output)).filter((name) => name !== SUMS && !WITHIN_IMAGE.includes(name))
  if (names.includes(imageOf(host))) return names.sort()
  throw new UserError('export', `'${output}' holds no whole image of '${host}'`, {
    hint: `build it: npm run build:image ${host}`,
  })
}

/** An export replaces the directory, so every file in it must be one that an earlier export lists in its sums. */
function refuseForeign(host: string, target: string): void {
  if (!existsSync(target)) return
  const listed = listedIn(join(target, SUMS))
  const foreign = readdirSync(target).find((name) => !listed.has(name))
  if (foreign === undefined) return
  throw new UserError('export', `'${target}' is no earlier export of '${host}': it holds '${foreign}'`, {
    hint: 'name a directory that does not exist yet: -- --to DIR',
  })
}

function listedIn(sums: string): ReadonlySet<string> {
  if (!existsSync(sums)) return new Set()
  const lines = readFileSync(sums, 'utf8').split('\n')
  return new Set([SUMS, ...lines.flatMap((line) => /^[0-9a-f]{64} {2}(.+)$/.exec(line)?.[1] ?? [])])
}

async function bring({ host, output, compress, reporter }: ExportRequest, name: string, beside: string): Promise<void> {
  const file = join(output, name)
  if (name !== imageOf(host)) return copyFile(file, join(beside, name))
  await during(reporter, `compress ${name}`, () => compress(file, join(beside, `${name}.zst`)))
}

async function summed(directory: string): Promise<ExportedFile[]> {
  const names = readdirSync(directory).sort()
  return Promise.all(
    names.map(async (name) => {
      const digester = new Digester()
      for await (const piece of createReadStream(join(directory, name))) digester.update(piece as Uint8Array)
      return { name: basename(name), size: (await stat(join(directory, name))).size, sha256: digester.digest() }
    }),
  )
}

function imageOf(host: string): string {
  return `${host}.img`
}
