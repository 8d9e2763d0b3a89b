import { UserError } from '../../../errors.ts'
import { Download, MismatchError } from '../../../lib/download.ts'
import { TransferError } from '../../../lib/http.ts'
import type { Advance, Blob } from '../repository.ts'
import type { Conversation } from './conversation.ts'
import { type Persistence, persistently } from './patience.ts'

export interface Receiving {
  readonly advance: Advance
  readonly persistence: Persistence
}

/** Brings a blob into a file; where the connection breaks, it goes on from what has arrived. */
export async function downloadBlob(
  conversation: Conversation,
  { digest, size, name }: Blob & { readonly name: string },
  file: string,
  { advance, persistence }: Receiving,
): Promise<void> {
  let received = 0
  const counted = (bytes: number) => {
    received += bytes
    advance(bytes)
  }
  const url = new URL(`blobs/sha256:${digest}`, conversation.base)
  const transfer = await Download.open({ path: name, sha256: digest, size }, file, counted)
  const attempt = async () => {
    const shown = conversation.headersFor(url)
    try {
      await transfer.from(url.href, { ...conversation.request, headers: shown })
    } catch (error) {
      if (error instanceof TransferError && error.status === 401) throw await shownAgain(conversation, digest)
      throw error
    }
  }
  try {
    await persistently(persistence, attempt, () => received)
  } catch (error) {
    throw error instanceof MismatchError ? wrongBytes(conversation.base.host, name, error.message) : error
  } finally {
    await transfer.close()
  }
}

export async function isThere(conversation: Conversation, digest: string): Promise<boolean> {
  const response = await conversation.ask(`blobs/sha256:${digest}`, { method: 'HEAD' })
  response.resume()
  if (response.statusCode === 200) return true
  return response.statusCode === 404 ? false : conversation.fail(response, 'does not say what it has')
}

/** A token lives for minutes: asking for something small brings the next one. */
async function shownAgain(conversation: Conversation, digest: string): Promise<TransferError> {
  await isThere(conversation, digest)
  return new TransferError('broken', 'the login had to be renewed')
}

export function wrongBytes(where: string, name: string, found: string): UserError {
  return new UserError('digest', `'${where}' gives other bytes for '${name}' than its digest says: ${found}`, {
    hint: 'nothing of it was kept; its storage is damaged, or somebody wrote to it: see to the registry, then publish again',
  })
}
