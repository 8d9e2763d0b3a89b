import { isIP } from 'node:net'
import { UserError } from '../../../errors.ts'
import { digestOf } from '../../../images/digest.ts'
import { PATIENCE, type Patience, TransferError, textOf } from '../../../lib/http.ts'
import { type Place, placeText } from '../place.ts'
import { MANIFEST_TYPE } from '../published-image.ts'
import type { Repository } from '../repository.ts'
import { Authorization } from './authorization.ts'
import { Conversation } from './conversation.ts'
import { credentialsFor } from './credentials.ts'
import { type Persistence, persistently } from './patience.ts'
import { downloadBlob, isThere, wrongBytes } from './receive.ts'
import { uploadBlob } from './upload.ts'

export interface RegistryOptions {
  readonly env: NodeJS.ProcessEnv
  readonly actions: 'pull' | 'pull,push'
  /** Registries of this machine are spoken to without TLS; others only where the owner says so. */
  readonly transport: 'https' | 'plain-http'
  readonly signal: AbortSignal
  readonly onRetry: (reason: string) => void
  readonly patience?: Patience
  /** Milliseconds before something is tried again. */
  readonly backoff?: number
}

/** A registry looks through what it was sent before it answers. */
const ANSWER = 120_000
const MANIFEST_LIMIT = 4 << 20

/** A repository of a registry, as the OCI distribution specification 1.1 has it. */
export function registryRepository(place: Place & { kind: 'registry' }, options: RegistryOptions): Repository {
  const { signal, backoff = 500, onRetry } = options
  const conversation = conversationWith(place, options)
  const where = placeText(place)
  const persistence: Persistence = { backoff, signal, onRetry }
  const patiently = <T>(attempt: () => Promise<T>) => naming(where, persistently(persistence, attempt))
  return {
    where,
    has: ({ digest }) => patiently(() => isThere(conversation, digest)),
    put: (blob, advance) => naming(where, uploadBlob({ conversation, blob, advance, persistence })),
    fetch: (blob, file, advance) => naming(where, downloadBlob(conversation, blob, file, { advance, persistence })),
    manifest: (reference) =>
      patiently(async () => {
        const at = 'digest' in reference ? `sha256:${reference.digest}` : reference.tag
        const response = await conversation.ask(`manifests/${at}`, {
          method: 'GET',
          headers: { accept: MANIFEST_TYPE },
        })
        if (response.statusCode === 404) return void response.resume()
        if (response.statusCode !== 200) return conversation.fail(response, `does not give '${at}'`)
        const text = await textOf(response, MANIFEST_LIMIT, conversation.request)
        if ('digest' in reference && digestOf(text) !== reference.digest) throw wrongBytes(where, at, digestOf(text))
        return text
      }),
    putManifest: (tag, text) =>
      patiently(async () => {
        const response = await conversation.ask(`manifests/${tag}`, {
          method: 'PUT',
          headers: { 'content-type': MANIFEST_TYPE },
          content: { size: Buffer.byteLength(text), open: () => once(Buffer.from(text)) },
        })
        if (response.statusCode !== 201) return conversation.fail(response, `does not take the tag '${tag}'`)
        response.resume()
      }),
  }
}

function conversationWith({ registry, name }: Place & { kind: 'registry' }, options: RegistryOptions): Conversation {
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

/** Says in the owner's words where it was that the network failed. */
async function naming<T>(where: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    throw new UserError('registry', `'${where}' ${SAID[error.kind]}: ${error.message}`, {
      hint: 'check the network and the registry, and type the same command again: what has arrived is not sent again',
      cause: error,
    })
  }
}

const SAID: Readonly<Record<TransferError['kind'], string>> = {
  absent: 'does not have what it names',
  refused: 'refuses',
  unreachable: 'cannot be reached',
  broken: 'breaks off',
  slow: 'is too slow',
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
