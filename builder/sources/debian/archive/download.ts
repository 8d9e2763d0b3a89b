import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../../../../errors.ts'
import { type Digest, Digester } from '../../../../images/digest.ts'
import type { Archive } from '../../../../images/lock.ts'
import { body, get, type Request, TransferError } from '../../../../lib/http.ts'

/** A file that is known before it is fetched. */
export interface WantedFile {
  /** What it is called in messages; of an archive: below its root. */
  readonly path: string
  readonly sha256: Digest
  /** Bytes. */
  readonly size: number
}

/** A file of an archive, as a signed index or the lock names it. */
export interface Wanted extends WantedFile {
  readonly archive: Archive
}

/** The server has the path, but not the file that was meant. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError'
}

/** A file on its way: what has arrived stays when a transfer breaks, and the next one goes on from there. */
export class Download {
  private digester = new Digester()
  private received = 0
  private readonly wanted: WantedFile
  private readonly file: FileHandle
  private readonly advance: (bytes: number) => void

  private constructor(wanted: WantedFile, file: FileHandle, advance: (bytes: number) => void) {
    this.wanted = wanted
    this.file = file
    this.advance = advance
  }

  static async open(wanted: WantedFile, path: string, advance: (bytes: number) => void): Promise<Download> {
    return new Download(wanted, await open(path, 'w'), advance)
  }

  close(): Promise<void> {
    return this.file.close()
  }

  /** Leaves the whole file, its size and digest checked. Throws TransferError or MismatchError. */
  async from(url: string, request: Request): Promise<void> {
    const resumed = this.received > 0
    try {
      if (this.received < this.wanted.size) await this.transfer(url, request)
      this.check()
    } catch (error) {
      if (!(error instanceof MismatchError)) throw error
      await this.startOver()
      // The first bytes may have been another server's: this one is only wrong if all of them are its own.
      if (!resumed) throw error
      await this.from(url, request)
    }
  }

  private async transfer(url: string, request: Request): Promise<void> {
    const resume = this.received > 0 ? { range: `bytes=${this.received}-` } : {}
    const response = await get(url, { ...request, headers: { ...request.headers, ...resume } })
    if (response.statusCode !== 206) await this.startOver()
    else if (!response.headers['content-range']?.startsWith(`bytes ${this.received}-`)) {
      response.destroy()
      throw new TransferError('refused', `answered another range: '${response.headers['content-range'] ?? ''}'`)
    }
    for await (const piece of body(response, request)) await this.take(piece)
    // Where no length was announced, a broken connection looks like the end.
    if (this.received < this.wanted.size && response.headers['content-length'] === undefined) {
      throw new TransferError('broken', `ended after ${this.received} of ${this.wanted.size} bytes`)
    }
  }

  private async take(piece: Buffer): Promise<void> {
    const { size } = this.wanted
    if (this.received + piece.length > size) throw new MismatchError(`more than the ${size} bytes expected`)
    this.digester.update(piece)
    await this.write(piece)
    this.received += piece.length
    this.advance(piece.length)
  }

  private async write(piece: Buffer): Promise<void> {
    try {
      await this.file.write(piece, 0, piece.length, this.received)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
      throw new UserError('store', `no room left in the store for '${this.wanted.path}' (${this.wanted.size} bytes)`, {
        hint: 'free some space, or use a store on another disk: HANGAR_STORE=DIRECTORY',
        cause,
      })
    }
  }

  private check(): void {
    const { size, sha256 } = this.wanted
    if (this.received < size) throw new MismatchError(`${this.received} bytes, expected ${size}`)
    const actual = this.digester.digest()
    if (actual !== sha256) throw new MismatchError(`SHA-256 ${actual}, expected ${sha256}`)
  }

  private async startOver(): Promise<void> {
    this.advance(-this.received)
    this.received = 0
    this.digester = new Digester()
    await this.file.truncate(0)
  }
}
