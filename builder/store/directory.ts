import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { canonicalJson } from '../../images/canonical.ts'
import type { Output } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { lives, processIn, thisProcess } from './living.ts'
import type { Store } from './store.ts'

/** Every object's modification time, in seconds: another one means that somebody wrote to it. */
export const OBJECT_TIME = 1_000_000_000

const FORMAT = '1\n'

/** `HANGAR_STORE`, else `hangar` in the user's cache directory. */
export function storeRoot(env: NodeJS.ProcessEnv): string {
  if (env.HANGAR_STORE) return env.HANGAR_STORE
  return join(env.XDG_CACHE_HOME || join(env.HOME || '/root', '.cache'), 'hangar')
}

export async function openStore(root: string): Promise<Store> {
  await mkdir(join(root, 'tmp'), { recursive: true })
  await checkFormat(root)
  await sweep(join(root, 'tmp'))
  return directoryStore(root)
}

function directoryStore(root: string): Store {
  const path = (object: Digest) => join(root, 'objects', object.slice(0, 2), object)
  const outputPath = (derivation: Digest) => join(root, 'outputs', derivation.slice(0, 2), `${derivation}.json`)
  const temporary = temporaryIn(root)

  const has = (object: Digest, size?: number) => isWhole(path(object), size)

  const adopt = async (file: string, object: Digest) => {
    await chmod(file, 0o444)
    await utimes(file, OBJECT_TIME, OBJECT_TIME)
    await moveInto(file, path(object))
  }

  return {
    root,
    path,
    has,
    adopt,
    async putBytes(bytes) {
      const object = digestOf(bytes)
      if (has(object, Buffer.byteLength(bytes))) return object
      const file = temporary('bytes')
      await writeFile(file, bytes)
      await adopt(file, object)
      return object
    },
    output(derivation) {
      const output = readOutput(outputPath(derivation))
      if (output === undefined) return undefined
      return Object.values(output).every(({ digest, size }) => has(digest, size)) ? output : undefined
    },
    async record(derivation, output) {
      const file = temporary('output')
      await writeFile(file, canonicalJson(output as never))
      await moveInto(file, outputPath(derivation))
    },
    async scratch(name, use) {
      const directory = temporary(name)
      await mkdir(directory)
      try {
        return await use(directory)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
  }
}

function temporaryIn(root: string): (name: string) => string {
  const owner = thisProcess()
  return (name) => join(root, 'tmp', `${name}-${owner}-${randomBytes(6).toString('hex')}`)
}

/** Rename is what makes an object appear: before it nothing is found, after it the whole. */
async function moveInto(file: string, target: string): Promise<void> {
  try {
    await rename(file, target)
  } catch {
    await mkdir(dirname(target), { recursive: true })
    await rename(file, target)
  }
}

function isWhole(file: string, size: number | undefined): boolean {
  const found = statSync(file, { throwIfNoEntry: false })
  return found !== undefined && found.mtimeMs === OBJECT_TIME * 1000 && (size === undefined || found.size === size)
}

function readOutput(file: string): Output | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Output
  } catch {
    // Absent, or cut short by a power failure: either way the derivation has to run.
    return undefined
  }
}

async function checkFormat(root: string): Promise<void> {
  const file = join(root, 'format')
  if (!existsSync(file)) {
    // Whole at once: another build may look at it meanwhile.
    const made = temporaryIn(root)('format')
    await writeFile(made, FORMAT)
    return rename(made, file)
  }
  const format = readFileSync(file, 'utf8')
  if (format === FORMAT) return
  throw new UserError(
    'format',
    `store '${root}' has format '${format.trim()}', this hangar reads format '${FORMAT.trim()}'`,
    {
      hint: `use another store (HANGAR_STORE=DIRECTORY) or remove that one: rm -r '${root}'`,
    },
  )
}

/** Removes what runs that were killed left behind; a living process, in a container or not, keeps its own. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const owner = processIn(name)
    if (owner !== undefined && lives(owner)) continue
    await rm(join(directory, name), { recursive: true, force: true })
  }
}
