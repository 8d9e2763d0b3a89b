import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { type Digest, Digester } from '../images/digest.ts'
import { isFullCode } from './file-problem.ts'
import { body, get, type Request, TransferError } from './http.ts'

/** A file whose size and digest are known before it is fetched. */
export interface WantedFile {
  /** The name of the file in messages. A source may also use it as the path on its servers. */
  readonly path: string
  readonly sha256: Digest
  /** The size in bytes. */
  readonly size: number
}

/** The error for a server whose bytes do not match the digest or the size. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError'
  /** Whether the bytes are a web page, such as the login of a network or an error. */
  readonly isWebPage: boolean

  constructor(message: string, type: string | undefined) {
    super(isWebPage(type) ? `a web page ('${type}'): ${message}` : message)
    this.isWebPage = isWebPage(type)
  }
}

/** Whether a Content-Type names a web page. */
export function isWebPage(type = ''): boolean {
  return /^text\/html/i.test(type)
}

/**
 * Fetches one file. After a broken transfer, the next transfer continues at the same position, from the same or another
 * server.
 */
export class Download {
  private digester = new Digester()
  private received = 0
  /** The Content-Type of the last answer. */
  private type: string | undefined
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

  /** Completes the file from this URL and checks size and digest. Throws TransferError or MismatchError. */
  async from(url: string, request: Request): Promise<void> {
    const resumed = this.received > 0
    try {
      if (this.received < this.wanted.size) await this.transfer(url, request)
      this.check()
    } catch (error) {
      if (!(error instanceof MismatchError)) throw error
      await this.startOver()
      // Fetches the whole file again from this server: the first bytes may be from another server, so only a whole file
      // proves which server sent wrong bytes.
      if (!resumed) throw error
      await this.from(url, request)
    }
  }

  private async transfer(url: string, request: Request): Promise<void> {
    const resume = this.received > 0 ? { range: `bytes=${this.received}-` } : {}
    const response = await get(url, { ...request, headers: { ...request.headers, ...resume } })
    this.type = response.headers['content-type']
    if (response.statusCode !== 206) await this.startOver()
    else if (!response.headers['content-range']?.startsWith(`bytes ${this.received}-`)) {
      response.destroy()
      throw new TransferError('refused', `the server sent another range: '${response.headers['content-range'] ?? ''}'`)
    }
    for await (const piece of body(response, request)) await this.take(piece)
    // Checks the size, because without a Content-Length a broken connection looks like the end of the file.
    const isShort = this.received < this.wanted.size && response.headers['content-length'] === undefined
    if (isShort && !isWebPage(this.type)) {
      throw new TransferError('broken', `ended after ${this.received} of ${this.wanted.size} bytes`)
    }
  }

  private async take(piece: Buffer): Promise<void> {
    const { size } = this.wanted
    if (this.received + piece.length > size) throw new MismatchError(`more than the ${size} bytes expected`, this.type)
    this.digester.update(piece)
    await this.write(piece)
    this.received += piece.length
    this.advance(piece.length)
  }

  private async write(piece: Buffer): Promise<void> {
    try {
      await this.file.write(piece, 0, piece.length, this.received)
    } catch (cause) {
      if (!isFullCode((cause as NodeJS.ErrnoException).code ?? '')) throw cause
      throw new UserError(
        'store',
        `cannot store '${this.wanted.path}' (${this.wanted.size} bytes): the disk of the store is full`,
        {
          hint: 'free disk space, for example with: npm run gc; or use a store on another disk: HANGAR_STORE=DIRECTORY',
          cause,
        },
      )
    }
  }

  private check(): void {
    const { size, sha256 } = this.wanted
    if (this.received < size) throw new MismatchError(`${this.received} bytes, expected ${size}`, this.type)
    const actual = this.digester.digest()
    if (actual !== sha256) throw new MismatchError(`SHA-256 ${actual}, expected ${sha256}`, this.type)
  }

  private async startOver(): Promise<void> {
    this.advance(-this.received)
    this.received = 0
    this.digester = new Digester()
    await this.file.truncate(0)
  }
}
