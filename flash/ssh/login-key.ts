import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { UserError } from '../../errors.ts'
import type { Command } from '../../lib/program-error.ts'

/** Where ssh finds the private half of the login key: in its file, or in the user's ssh-agent. */
export type KeyHolder = 'file' | 'agent'

export interface LoginKey {
  readonly host: string
  readonly keyFile: string
  /** The socket of the user's ssh-agent: SSH_AUTH_SOCK. */
  readonly agentSocket: string | undefined
}

/**
 * Decides who holds the login key. A key with a passphrase must be in the user's ssh-agent, because hangar runs ssh without
 * a terminal. Throws 'login' with the remedy if ssh could not use the key. Contacts no host.
 */
export async function keyHolder({ host, keyFile, agentSocket }: LoginKey): Promise<KeyHolder> {
  const key = readKey(host, keyFile)
  if (!isEncrypted(key)) return 'file'
  const add = `ssh-add '${keyFile}'`
  if (!agentSocket) {
    throw cannotLogIn(host, `its login key '${keyFile}' has a passphrase, and SSH_AUTH_SOCK names no ssh-agent`, {
      hint: `start an agent and add the key: eval "$(ssh-agent)"; ${add}`,
    })
  }
  const held = await identities(agentSocket).catch((cause: NodeJS.ErrnoException) => {
    throw cannotLogIn(host, `the ssh-agent at '${agentSocket}' (SSH_AUTH_SOCK) does not answer: ${cause.message}`, {
      hint: `start an agent and add the key: eval "$(ssh-agent)"; ${add}`,
      cause,
    })
  })
  const own = publicBlob(key)
  if (own === undefined || held.includes(own)) return 'agent'
  throw cannotLogIn(host, `its login key '${keyFile}' has a passphrase, and the ssh-agent does not hold the key`, {
    hint: `add the key: ${add}`,
  })
}

/** ssh that can ask the user's ssh-agent, if one runs. */
export function withUserAgent(ssh: Command): Command {
  const agent = process.env.SSH_AUTH_SOCK
  return agent ? { ...ssh, env: { ...ssh.env, SSH_AUTH_SOCK: agent } } : ssh
}

function readKey(host: string, keyFile: string): string {
  try {
    return readFileSync(keyFile, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw cannotLogIn(host, `its login key '${keyFile}' does not exist`, {
        hint: 'restore your copy of the key. A build without it creates a new key, which a running host does not accept',
      })
    }
    const reason = code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'this user must not read it' : code
    throw cannotLogIn(host, `cannot read its login key '${keyFile}': ${reason}`, {
      hint: `check the owner and the modes: namei -l '${keyFile}'. The key must belong to the user who runs hangar`,
      cause,
    })
  }
}

function cannotLogIn(host: string, reason: string, options: { hint: string; cause?: unknown }): UserError {
  return new UserError('login', `cannot log in to '${host}': ${reason}`, options)
}

const MAGIC = Buffer.from('openssh-key-v1\0')

/** Whether a private key has a passphrase: the cipher of OpenSSH's format, or the headers of PEM. */
export function isEncrypted(key: string): boolean {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) return true
  const bytes = opensshBytes(key)
  return bytes !== undefined && stringAt(bytes, MAGIC.length)?.toString() !== 'none'
}

/** The public half, which OpenSSH's format keeps in clear text: ciphername, kdfname, kdfoptions, count, public key. */
function publicBlob(key: string): Buffer | undefined {
  const bytes = opensshBytes(key)
  if (bytes === undefined) return undefined
  let at = MAGIC.length
  for (let field = 0; field < 3; field += 1) at += 4 + (stringAt(bytes, at)?.length ?? 0)
  return stringAt(bytes, at + 4)
}

function opensshBytes(key: string): Buffer | undefined {
  const [, text] = /-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END/.exec(key) ?? []
  const bytes = Buffer.from(text ?? '', 'base64')
  return bytes.subarray(0, MAGIC.length).equals(MAGIC) ? bytes : undefined
}

function stringAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + 4 > bytes.length) return undefined
  const length = bytes.readUInt32BE(at)
  return at + 4 + length > bytes.length ? undefined : bytes.subarray(at + 4, at + 4 + length)
}

/** SSH_AGENTC_REQUEST_IDENTITIES of the ssh-agent protocol, with its length. */
const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11])
const AGENT_PATIENCE = 5000

/** The agent's answer, which contains the public half of each key that the agent holds. */
function identities(socket: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket, timeout: AGENT_PATIENCE })
    let answer = Buffer.alloc(0)
    connection.on('connect', () => connection.write(REQUEST_IDENTITIES))
    connection.on('data', (piece) => {
      answer = Buffer.concat([answer, piece])
      if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0)) finish()
    })
    const finish = () => {
      connection.destroy()
      resolve(answer)
    }
    connection.on('end', finish)
    connection.on('error', reject)
    connection.on('timeout', () => connection.destroy(new Error('no answer within 5 s')))
  })
}
