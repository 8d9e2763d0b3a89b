import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Digest, Digester, digestOf } from '../../images/digest.ts'
import { type FileContent, replaceFile } from '../../lib/atomic-file.ts'
import { withFileLock } from '../../lib/file-lock.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { EMPTY_INDEX, type OciIndex, ociIndexText, parseOciIndex, referenced, tagged } from './oci-index.ts'
import { type Advance, type Blob, corruptInStore, type Repository } from './repository.ts'

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}'
const PIECE = 1 << 20

/** A directory with an OCI image layout (image-spec 1.1), for example on a USB stick or a file server. */
export function directoryRepository(directory: string, signal: AbortSignal): Repository {
  const path = (digest: Digest) => join(directory, 'blobs/sha256', digest)
  const index = join(directory, 'index.json')
  const write = async (file: string, content: FileContent) => {
    makeDirectory(dirname(file))
    await replaceFile(file, content)
  }
  return {
    where: directory,
    async has({ digest, size }) {
      return statSync(path(digest), { throwIfNoEntry: false })?.size === size
    },
    async put(blob, advance) {
      await write(path(blob.digest), async (temporary) => {
        const found = await copyInto(temporary, blob.read(0), { blob, advance, signal })
        if (found !== undefined) throw corruptInStore(blob)
      })
    },
    async fetch(blob, file, advance) {
      const from = path(blob.digest)
      if (!existsSync(from)) throw damaged(from, 'the file is missing')
      const pieces = createReadStream(from, { highWaterMark: PIECE })
      const found = await copyInto(file, pieces, { blob, advance, signal })
      if (found !== undefined) throw damaged(from, `SHA-256 ${found}, expected ${blob.digest}`)
    },
    async manifest(reference) {
      const found = 'digest' in reference ? reference.digest : referenced(readIndex(index), reference.tag)
      if (found === undefined || !existsSync(path(found))) return undefined
      const content = readFileSync(path(found), 'utf8')
      if (digestOf(content) !== found) throw damaged(path(found), 'its SHA-256 is not its name')
      return content
    },
    async putManifest(tag, content) {
      const blob = { digest: digestOf(content), size: Buffer.byteLength(content) }
      await write(path(blob.digest), content)
      await write(join(directory, 'oci-layout'), LAYOUT)
      // Holds a lock: two publishers at the same time could both read the index before either writes it, and lose an
      // entry.
      await withFileLock(directory, () => write(index, ociIndexText(tagged(readIndex(index), tag, blob))))
    },
  }
}

function readIndex(file: string): OciIndex {
  return existsSync(file) ? parseOciIndex(readFileSync(file, 'utf8'), file) : EMPTY_INDEX
}

interface Copy {
  readonly blob: Blob
  readonly advance: Advance
  readonly signal: AbortSignal
}

/**
 * Copies a blob into a file and flushes the file. If the copied bytes do not have the blob's digest, returns their
 * digest.
 */
async function copyInto(file: string, pieces: AsyncIterable<Uint8Array>, copy: Copy): Promise<Digest | undefined> {
  const handle = await open(file, 'wx')
  try {
    const found = await copyPieces(handle, pieces, copy)
    await handle.sync()
    return found === copy.blob.digest ? undefined : found
  } finally {
    await handle.close()
  }
}

async function copyPieces(handle: FileHandle, pieces: AsyncIterable<Uint8Array>, { advance, signal }: Copy) {
  const digester = new Digester()
  for await (const piece of pieces) {
    signal.throwIfAborted()
    digester.update(piece)
    await handle.appendFile(piece)
    advance(piece.length)
  }
  return digester.digest()
}

function damaged(file: string, reason: string): UserError {
  return new UserError('digest', `'${file}' is corrupt: ${reason}`, {
    hint: `remove the file and publish the image again where it was built: rm -f '${file}'`,
  })
}
