import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { Digester } from '../../images/digest.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { during, type Reporter } from '../../lib/reporter.ts'
import { readState } from '../outputs/state.ts'
import type { DiskImages } from '../platforms/platform.ts'

/** Compresses `file` to `target`. Equal files give equal bytes. */
export type CompressFile = (file: string, target: string) => Promise<void>

export interface ExportRequest {
  readonly host: string
  /** Names of the images that the host's platform writes. */
  readonly images: DiskImages
  /** The output directory of a build. */
  readonly output: string
  /** The directory to write. It must not exist yet, or an earlier export must have written it. */
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

/** Writes a built image for download: the compressed disk image, its block map, manifest, SBOM and their sums. */
export async function exportImage(request: ExportRequest): Promise<ExportedFile[]> {
  const { host, target } = request
  const names = completeOutputs(request)
  refuseForeign(host, target)
  makeDirectory(dirname(target))
  // A new directory: an existing one may hold the user's files.
  const beside = await mkdtemp(`${target}.new-`)
  await chmod(beside, 0o755)
  try {
    for (const name of names) await copy(request, name, beside)
    const files = await summed(beside)
    await writeFile(join(beside, SUMS), files.map(({ sha256, name }) => `${sha256}  ${name}\n`).join(''), {
      flush: true,
    })
    // Replaces the target directory only after every file is complete.
    await rm(target, { recursive: true, force: true })
    await rename(beside, target)
    return files
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/**
 * The files to export. Throws 'export' if the last build did not complete. Leaves out the slot image and the boot
 * image, because the disk image contains them.
 */
function completeOutputs({ host, images, output }: ExportRequest): string[] {
  const { disk, slot, boot } = images
  const within = [slot, boot].filter((name) => name !== disk)
  const names = Object.keys(readState(output)).filter((name) => name !== SUMS && !within.includes(name))
  if (names.includes(disk)) return names.sort()
  throw new UserError('export', `'${output}' has no complete image of '${host}'`, {
    hint: `build the image: npm run build:image ${host}`,
  })
}

/**
 * An export replaces the directory. Throws when the directory has a file that the SHA256SUMS of an earlier export does
 * not list.
 */
function refuseForeign(host: string, target: string): void {
  if (!existsSync(target)) return
  const listed = listedIn(join(target, SUMS))
  const foreign = readdirSync(target).find((name) => !listed.has(name))
  if (foreign === undefined) return
  throw new UserError(
    'export',
    `cannot export to '${target}': it contains '${foreign}', which no export of '${host}' wrote`,
    {
      hint: 'choose a directory that does not exist yet: -- --to DIR',
    },
  )
}

function listedIn(sums: string): ReadonlySet<string> {
  if (!existsSync(sums)) return new Set()
  const lines = readFileSync(sums, 'utf8').split('\n')
  return new Set([SUMS, ...lines.flatMap((line) => /^[0-9a-f]{64} {2}(.+)$/.exec(line)?.[1] ?? [])])
}

async function copy(
  { images, output, compress, reporter }: ExportRequest,
  name: string,
  beside: string,
): Promise<void> {
  const file = join(output, name)
  if (name !== images.disk) return copyFile(file, join(beside, name))
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
