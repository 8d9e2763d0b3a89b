import { UserError } from '../../../errors.ts'
import { Download, MismatchError } from '../../../lib/download.ts'
import { TransferError } from '../../../lib/http.ts'
import type { Advance, Blob } from '../repository.ts'
import type { Conversation } from './conversation.ts'
import { type RetryOptions, withRetries } from './retry.ts'

export interface Receiving {
  readonly advance: Advance
  readonly retry: RetryOptions
}

/** Downloads a blob into a file, and continues after a broken connection. */
export async function downloadBlob(
  conversation: Conversation,
  { digest, size, name }: Blob & { readonly name: string },
  file: string,
  { advance, retry }: Receiving,
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
      if (error instanceof TransferError && error.status === 401) throw await renewToken(conversation, digest)
      throw error
    }
  }
  try {
    await withRetries(retry, attempt, () => received)
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
  return response.statusCode === 404 ? false : conversation.fail(response, 'did not answer whether it has the blob')
}

/** Tokens expire after a few minutes. Sends a small request first, which renews an expired token. */
async function renewToken(conversation: Conversation, digest: string): Promise<TransferError> {
  await isThere(conversation, digest)
  return new TransferError('broken', 'the token expired')
}

export function wrongBytes(where: string, name: string, found: string): UserError {
  return new UserError('digest', `'${where}' sent corrupt bytes for '${name}': ${found}`, {
    hint: 'hangar kept nothing; check the storage of the registry, then publish the image again',
  })
}
