import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { diskFailure } from './failure.ts'
import { readAround } from './read-around.ts'
import type { Target } from './target.ts'

/** What is written to: a device, a file, or a test's. */
export interface Disk {
  readonly path: string
  /** Bytes. */
  readonly size: number
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Everything written before is on the disk when this returns. */
  flush(): Promise<void>
  /** As the disk has it, whatever memory holds; in pieces. */
  read(offset: number, size: number): AsyncIterable<Uint8Array>
}

/** Opens a target for as long as `use` takes. Nobody else can mount or take a device meanwhile. */
export async function withOpenDisk<T>(target: Target, use: (disk: Disk) => Promise<T>): Promise<T> {
  const handle = await openTarget(target).catch((error) => {
    throw diskFailure('open', target.path, error)
  })
  try {
    return await use(diskOn(target, handle))
  } finally {
    await handle.close()
  }
}

async function openTarget(target: Target): Promise<FileHandle> {
  const { path, size } = target
  // Of a device O_EXCL means: refused while anything has it in use (open(2)).
  if (target.kind === 'device') return open(path, constants.O_RDWR | constants.O_EXCL)
  if (target.state === 'there') return open(path, 'r+')
  const handle = await open(path, 'wx+')
  await handle.truncate(size)
  return handle
}

function diskOn({ path, size, kind }: Target, handle: FileHandle): Disk {
  const failed = (error: unknown) => {
    throw diskFailure('write', path, error)
  }
  return {
    ...{ path, size },
    write: (offset, bytes) => writeAll(handle, offset, bytes).catch(failed),
    flush: () => handle.sync().catch(failed),
    read: (offset, length) => readAround(path, kind, offset, length),
  }
}

/** The system may write less than it was given. */
async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}
