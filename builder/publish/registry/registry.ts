import { isIP } from 'node:net'
import { UserError } from '../../../errors.ts'
import { digestOf } from '../../../images/digest.ts'
import { PATIENCE, type Patience, TransferError, textOf } from '../../../lib/http.ts'
import { MANIFEST_TYPE } from '../published-image.ts'
import { type Remote, remoteText } from '../remote.ts'
import type { Repository } from '../repository.ts'
import { Authorization } from './authorization.ts'
import { Conversation } from './conversation.ts'
import { credentialsFor } from './credentials.ts'
import { downloadBlob, isThere, wrongBytes } from './receive.ts'
import { type RetryOptions, withRetries } from './retry.ts'
import { uploadBlob } from './upload.ts'

export interface RegistryOptions {
  readonly env: NodeJS.ProcessEnv
  readonly actions: 'pull' | 'pull,push'
  /** The protocol of the registry. Registries on a loopback address always use http. */
  readonly transport: 'https' | 'plain-http'
  readonly signal: AbortSignal
  readonly onRetry: (reason: string) => void
  readonly patience?: Patience
  /** Milliseconds before the first retry. */
  readonly backoff?: number
}

/** The time for an answer, in milliseconds. It is long, because a registry verifies an upload before it answers. */
const ANSWER = 120_000
const MANIFEST_LIMIT = 4 << 20

/** A repository of a registry (OCI distribution specification 1.1). */
export function registryRepository(remote: Remote & { kind: 'registry' }, options: RegistryOptions): Repository {
  const { signal, backoff = 500, onRetry } = options
  const conversation = conversationWith(remote, options)
  const where = remoteText(remote)
  const retry: RetryOptions = { backoff, signal, onRetry }
  const retried = <T>(attempt: () => Promise<T>) => naming(where, withRetries(retry, attempt))
  return {
    where,
    has: ({ digest }) => retried(() => isThere(conversation, digest)),
    put: (blob, advance) => naming(where, uploadBlob({ conversation, blob, advance, retry })),
    fetch: (blob, file, advance) => naming(where, downloadBlob(conversation, blob, file, { advance, retry })),
    manifest: (reference) =>
      retried(async () => {
        const at = 'digest' in reference ? `sha256:${reference.digest}` : reference.tag
        const response = await conversation.ask(`manifests/${at}`, {
          method: 'GET',
          headers: { accept: MANIFEST_TYPE },
        })
        if (response.statusCode === 404) return void response.resume()
        if (response.statusCode !== 200) return conversation.fail(response, `did not return '${at}'`)
        const text = await textOf(response, MANIFEST_LIMIT, conversation.request)
        const digest = digestOf(text)
        if ('digest' in reference && digest !== reference.digest) {
          throw wrongBytes(where, at, `SHA-256 ${digest}, expected ${reference.digest}`)
        }
        return text
      }),
    putManifest: (tag, text) =>
      retried(async () => {
        const response = await conversation.ask(`manifests/${tag}`, {
          method: 'PUT',
          headers: { 'content-type': MANIFEST_TYPE },
          content: { size: Buffer.byteLength(text), open: () => once(Buffer.from(text)) },
        })
        if (response.statusCode !== 201) return conversation.fail(response, `refused the tag '${tag}'`)
        response.resume()
      }),
  }
}

function conversationWith({ registry, name }: Remote & { kind: 'registry' }, options: RegistryOptions): Conversation {
  const { env, actions, signal, patience = { ...PATIENCE, answer: ANSWER } } = options
  const plain = options.transport === 'plain-http' || isLoopback(registry)
  const request = { patience, signal }
  const credentials = () => credentialsFor(registry, name, env)
  const transport = plain ? 'http' : 'https'
  const authorization = new Authorization({ registry, name, actions, transport, credentials, request })
  return new Conversation(new URL(`${transport}://${registry}/v2/${name}/`), authorization, request)
}

function isLoopback(registry: string): boolean {
  const { hostname } = new URL(`http://${registry}`)
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
}

/** Converts a network error into an error that names the repository. */
async function naming<T>(where: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    throw new UserError('registry', `'${where}' ${PROBLEM[error.kind]}: ${error.message}`, {
      hint: 'check the network and the registry, then run the same command again: it continues where it stopped',
      cause: error,
    })
  }
}

const PROBLEM: Readonly<Record<TransferError['kind'], string>> = {
  absent: 'has no such blob',
  refused: 'refused the request',
  unreachable: 'cannot be reached',
  broken: 'broke the connection',
  slow: 'is too slow',
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
