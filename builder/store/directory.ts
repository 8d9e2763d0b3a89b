import { readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { canonicalJson } from '../../images/canonical.ts'
import type { Output } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { namingPath } from '../../lib/file-problem.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { temporaryName } from '../../lib/process-liveness.ts'
import { storeDirectory } from '../../lib/user-directories.ts'
import { openRoot, type StoreAccess } from './root.ts'
import type { Store } from './store.ts'

/**
 * The modification time of every object, in seconds since 1970. A different time shows that a program has written to
 * the object.
 */
export const OBJECT_TIME = 1_000_000_000

/**
 * Characters that the path of a store cannot have. The loader of unpacked programs splits its library path at `:` and `;`,
 * and expands `$` (ld.so(8)). Logs and messages have one line for a path. U+FFFD replaces bytes that are not UTF-8.
 */
const UNUSABLE: readonly (readonly [RegExp, string])[] = [
  [/:/, "a colon (':')"],
  [/;/, "a semicolon (';')"],
  [/\$/, "a dollar sign ('$')"],
  [/[\0-\x1f\x7f]/, 'a line break or another control character'],
  [/\ufffd/, 'bytes that are not UTF-8'],
]

/** The directory of the store. Throws UserError when its path has a character that programs of the store cannot use. */
export function storeRoot(env: NodeJS.ProcessEnv): string {
  const root = storeDirectory(env)
  const unusable = UNUSABLE.find(([pattern]) => pattern.test(root))
  if (unusable === undefined) return root
  throw new UserError('store', `cannot use ${JSON.stringify(root)} as the store: its path contains ${unusable[1]}`, {
    hint: 'set HANGAR_STORE to a directory without this character, for example: HANGAR_STORE=/var/cache/hangar',
  })
}

/** Opens the store at `root`. Throws UserError if the directory contains anything else than a store. */
export async function openStore(root: string, access: StoreAccess = 'write'): Promise<Store> {
  await openRoot(root, access)
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
      await namingPath(file, () => writeFile(file, bytes))
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
      await namingPath(file, () => writeFile(file, canonicalJson(output as never)))
      await moveInto(file, outputPath(derivation))
    },
    async scratch(name, use) {
      const directory = temporary(name)
      await mkdir(directory)
      try {
        return await use(directory)
      } finally {
        // Tries again when a process that has just been killed has still written a file.
        await rm(directory, { recursive: true, force: true, maxRetries: 5 })
      }
    },
  }
}

function temporaryIn(root: string): (name: string) => string {
  return (name) => join(root, 'tmp', temporaryName(name))
}

/** The rename makes the object visible in one step: no process ever finds an incomplete object. */
async function moveInto(file: string, target: string): Promise<void> {
  try {
    await rename(file, target)
  } catch {
    makeDirectory(dirname(target))
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
    // The file is missing, or a power failure truncated it. In both cases the derivation has to run again.
    return undefined
  }
}
