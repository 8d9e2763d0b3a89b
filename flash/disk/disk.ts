import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { diskFailure } from './failure.ts'
import { readAround } from './read-around.ts'
import type { DiskTarget } from './target.ts'

/** A device or a file to write to. Tests use their own implementation. */
export interface Disk {
  readonly path: string
  /** The size in bytes. */
  readonly size: number
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Flushes: resolves when all earlier writes are on the disk. */
  flush(): Promise<void>
  /** Reads in pieces from the disk itself, past the kernel's cache. */
  read(offset: number, size: number): AsyncIterable<Uint8Array>
}

/**
 * Opens a target for as long as `use` takes. Meanwhile the kernel allows no other program to mount or claim the device.
 */
export async function withOpenDisk<T>(target: DiskTarget, use: (disk: Disk) => Promise<T>): Promise<T> {
  const handle = await openTarget(target).catch((error) => {
    throw diskFailure('open', target.path, error)
  })
  try {
    return await use(diskOn(target, handle))
  } finally {
    await handle.close()
  }
}

async function openTarget(target: DiskTarget): Promise<FileHandle> {
  const { path, size } = target
  // Opens devices with O_EXCL, which fails while the device is in use (open(2)).
  if (target.kind === 'device') return open(path, constants.O_RDWR | constants.O_EXCL)
  if (target.state === 'existing') return open(path, 'r+')
  const handle = await open(path, 'wx+')
  await handle.truncate(size)
  return handle
}

function diskOn({ path, size, kind }: DiskTarget, handle: FileHandle): Disk {
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

/** Repeats the write, because one call may write only a part of the bytes. */
async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}
