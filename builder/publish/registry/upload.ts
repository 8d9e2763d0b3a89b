import type { IncomingMessage } from 'node:http'
import { TransferError } from '../../../lib/http.ts'
import type { Advance, LocalBlob } from '../repository.ts'
import type { Conversation } from './conversation.ts'
import { isThere } from './receive.ts'
import { type RetryOptions, withRetries } from './retry.ts'

interface Session {
  /** The URL of the next request. Each answer gives a new one, because the registry keeps its state in the URL. */
  readonly location: string
  /** The number of bytes that the registry has received. */
  readonly offset: number
}

export interface Upload {
  readonly conversation: Conversation
  readonly blob: LocalBlob
  readonly advance: Advance
  readonly retry: RetryOptions
}

/**
 * Uploads a blob. After a broken connection, asks the registry how many bytes arrived, and sends the rest. If the
 * registry no longer knows the upload (distribution 2 deletes it after a broken request), sends the blob from its
 * start.
 */
export async function uploadBlob(upload: Upload): Promise<void> {
  const { conversation, blob, retry } = upload
  const counted = counter(upload.advance)
  let session: Session | undefined
  let isRepeated = false
  const attempt = async () => {
    // Checks whether the blob is complete: possibly only the answer of the registry was lost.
    if (isRepeated && (await isThere(conversation, blob.digest))) return
    isRepeated = true
    const begun = (session && (await resume(conversation, session))) ?? (await begin(conversation, blob))
    if (begun === 'there') return
    session = begun
    counted.to(begun.offset)
    if (begun.offset < blob.size) session = await send(conversation, blob, begun, counted.add)
    await finish(conversation, blob, session)
  }
  await withRetries(retry, attempt, () => counted.furthest())
}

/** Counts the sent bytes for the progress display, and subtracts bytes that did not arrive. */
function counter(advance: Advance) {
  let [at, furthest] = [0, 0]
  const add = (bytes: number) => {
    at += bytes
    advance(bytes)
  }
  return {
    add,
    furthest: () => furthest,
    /** Sets the count of sent bytes to the offset that the registry reports. */
    to(offset: number) {
      add(offset - at)
      furthest = Math.max(furthest, offset)
    },
  }
}

/** Begins an upload. With `mount`, the registry can reuse a blob of another of its repositories. */
async function begin(conversation: Conversation, { digest }: LocalBlob): Promise<Session | 'there'> {
  const response = await conversation.ask(`blobs/uploads/?mount=sha256:${digest}`, { method: 'POST' })
  if (response.statusCode === 201) return drained(response, 'there')
  if (response.statusCode !== 202) return conversation.fail(response, 'refused an upload')
  return sessionIn(response, conversation.base.href, 0)
}

/** Asks for the state of an upload; undefined if the registry no longer knows the upload. */
async function resume(conversation: Conversation, { location }: Session): Promise<Session | undefined> {
  const response = await conversation.ask(location, { method: 'GET' })
  const { statusCode: status = 0, headers } = response
  if (status >= 500) return conversation.fail(response, 'did not report the state of an upload')
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '')?.[1]
  // Reads `0-0` as an empty upload, because registries report it so.
  const offset = last === undefined || last === '0' ? 0 : Number(last) + 1
  if (status >= 300 || last === undefined) return drained(response, undefined)
  return sessionIn(response, location, offset)
}

async function send(
  conversation: Conversation,
  blob: LocalBlob,
  { location, offset }: Session,
  advance: Advance,
): Promise<Session> {
  const size = blob.size - offset
  const range = offset === 0 ? {} : { 'content-range': `${offset}-${blob.size - 1}` }
  const response = await conversation.ask(location, {
    method: 'PATCH',
    headers: { 'content-type': 'application/octet-stream', ...range },
    content: { size, open: () => counting(blob.read(offset), advance) },
  })
  if (response.statusCode === 202) return sessionIn(response, location, blob.size)
  return lost(conversation, response, 'refused the upload')
}

async function finish(conversation: Conversation, { digest }: LocalBlob, { location }: Session): Promise<void> {
  const url = new URL(location)
  url.searchParams.set('digest', `sha256:${digest}`)
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await conversation.ask(url, { method: 'PUT', headers })
  if (response.statusCode !== 201) return lost(conversation, response, 'refused to finish the upload')
  response.resume()
}

/**
 * If the registry lost the upload or received wrong bytes, throws an error that makes the caller start the upload
 * again.
 */
async function lost(conversation: Conversation, response: IncomingMessage, what: string): Promise<never> {
  const { statusCode: status } = response
  if (status !== 400 && status !== 404 && status !== 416) return conversation.fail(response, what)
  response.resume()
  throw new TransferError('broken', `the registry lost the upload: HTTP ${status}`)
}

function sessionIn(response: IncomingMessage, at: string, offset: number): Session {
  const { location } = response.headers
  response.resume()
  if (location === undefined) throw new TransferError('refused', 'the answer to an upload has no Location header')
  return { location: new URL(location, at).href, offset }
}

function drained<T>(response: IncomingMessage, value: T): T {
  response.resume()
  return value
}

async function* counting(pieces: AsyncIterable<Uint8Array>, advance: Advance): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece
    advance(piece.length)
  }
}
