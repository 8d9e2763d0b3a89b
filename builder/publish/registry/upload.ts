import type { IncomingMessage } from 'node:http'
import { TransferError } from '../../../lib/http.ts'
import type { Advance, LocalBlob } from '../repository.ts'
import type { Conversation } from './conversation.ts'
import { type Persistence, persistently } from './patience.ts'
import { isThere } from './receive.ts'

interface Session {
  /** Where the next request goes: a registry keeps its state in it, so it is for one use. */
  readonly location: string
  /** Bytes that have arrived. */
  readonly offset: number
}

export interface Upload {
  readonly conversation: Conversation
  readonly blob: LocalBlob
  readonly advance: Advance
  readonly persistence: Persistence
}

/**
 * Sends a blob. After a broken connection the registry is asked how much it has, and the rest follows; one that no longer
 * knows (distribution 2 after a request that was cut) gets that blob from its start.
 */
export async function uploadBlob(upload: Upload): Promise<void> {
  const { conversation, blob, persistence } = upload
  const counted = counter(upload.advance)
  let session: Session | undefined
  let isRepeated = false
  const attempt = async () => {
    // The answer to the last request may be all that was lost.
    if (isRepeated && (await isThere(conversation, blob.digest))) return
    isRepeated = true
    const begun = (session && (await resume(conversation, session))) ?? (await begin(conversation, blob))
    if (begun === 'there') return
    session = begun
    counted.to(begun.offset)
    if (begun.offset < blob.size) session = await send(conversation, blob, begun, counted.add)
    await finish(conversation, blob, session)
  }
  await persistently(persistence, attempt, () => counted.furthest())
}

/** Progress, which goes back where bytes did not arrive. */
function counter(advance: Advance) {
  let [at, furthest] = [0, 0]
  const add = (bytes: number) => {
    at += bytes
    advance(bytes)
  }
  return {
    add,
    furthest: () => furthest,
    /** What the registry says has arrived. */
    to(offset: number) {
      add(offset - at)
      furthest = Math.max(furthest, offset)
    },
  }
}

/** Some registries find the blob in another repository of theirs by the digest alone. */
async function begin(conversation: Conversation, { digest }: LocalBlob): Promise<Session | 'there'> {
  const response = await conversation.ask(`blobs/uploads/?mount=sha256:${digest}`, { method: 'POST' })
  if (response.statusCode === 201) return drained(response, 'there')
  if (response.statusCode !== 202) return conversation.fail(response, 'takes no uploads')
  return sessionIn(response, conversation.base.href, 0)
}

/** Undefined where the registry knows nothing of it any more. */
async function resume(conversation: Conversation, { location }: Session): Promise<Session | undefined> {
  const response = await conversation.ask(location, { method: 'GET' })
  const { statusCode: status = 0, headers } = response
  if (status >= 500) return conversation.fail(response, 'does not say what has arrived')
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '')?.[1]
  // `0-0` is what registries say of nothing at all.
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
  return lost(conversation, response, 'does not take the upload')
}

async function finish(conversation: Conversation, { digest }: LocalBlob, { location }: Session): Promise<void> {
  const url = new URL(location)
  url.searchParams.set('digest', `sha256:${digest}`)
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await conversation.ask(url, { method: 'PUT', headers })
  if (response.statusCode !== 201) return lost(conversation, response, 'does not keep the upload')
  response.resume()
}

/** An upload that the registry has forgotten, or got other bytes of, is worth another try from its start. */
async function lost(conversation: Conversation, response: IncomingMessage, what: string): Promise<never> {
  const { statusCode: status } = response
  if (status !== 400 && status !== 404 && status !== 416) return conversation.fail(response, what)
  response.resume()
  throw new TransferError('broken', `the upload was lost: HTTP ${status}`)
}

function sessionIn(response: IncomingMessage, at: string, offset: number): Session {
  const { location } = response.headers
  response.resume()
  if (location === undefined) throw new TransferError('refused', 'an upload without a place to send it to')
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
