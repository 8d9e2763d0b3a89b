import { StringDecoder } from 'node:string_decoder'
import { UserError } from '../errors.ts'

export interface SecretTerminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown }
  readonly output: NodeJS.WritableStream
}

/** The largest value, in bytes; the store of secrets has the same limit. */
const LARGEST = 64 * 1024

/**
 * Reads a secret: a line that the terminal does not show, or all of standard input without its last line break. An argument
 * would be visible to other users of this machine and in the history of the shell.
 */
export async function readSecret(prompt: string, terminal: SecretTerminal, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  return terminal.input.isTTY ? typedLine(prompt, terminal, signal) : wholeInput(terminal, signal)
}

const KEYS = { interrupt: '\x03', end: '\x04', erase: ['\x7f', '\b'], eraseLine: '\x15' } as const

async function typedLine(prompt: string, { input, output }: SecretTerminal, signal: AbortSignal): Promise<string> {
  output.write(prompt)
  const decoder = new StringDecoder('utf8')
  let typed = ''
  input.setRawMode?.(true)
  try {
    const rest = await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      input.once('end', () => resolve(''))
      input.on('data', (chunk: Buffer) => {
        const keys = [...decoder.write(chunk)]
        for (const [at, key] of keys.entries()) {
          if (key === '\r' || key === '\n' || key === KEYS.end) return resolve(keys.slice(at + 1).join(''))
          typed = afterKey(typed, key)
        }
      })
      input.resume()
    })
    if (rest.trim() !== '') throw severalLines()
  } finally {
    input.removeAllListeners('data')
    input.pause()
    input.setRawMode?.(false)
    output.write('\n')
  }
  return checked(typed)
}

/** In raw mode the terminal sends no signals: this sends the one of Ctrl-C. */
function afterKey(typed: string, key: string): string {
  if (key === KEYS.interrupt) process.kill(process.pid, 'SIGINT')
  else if (key === KEYS.eraseLine) return ''
  else if (KEYS.erase.some((erase) => erase === key)) return [...typed].slice(0, -1).join('')
  else return typed + key
  return typed
}

function checked(typed: string): string {
  if (!/[\x00-\x1f]/.test(typed)) return typed
  throw new UserError('secret', 'the typed value contains control characters, such as those of the arrow keys', {
    hint: 'type the value again; to pass any bytes of text, use standard input: npm run secrets set NAME <FILE',
  })
}

function severalLines(): UserError {
  return new UserError('secret', 'the pasted value has several lines, and the prompt takes one', {
    hint: 'use standard input: npm run secrets set NAME <FILE',
  })
}

async function wholeInput({ input }: SecretTerminal, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    signal.throwIfAborted()
    chunks.push(Buffer.from(chunk))
    size += chunks.at(-1)?.length ?? 0
    // Reads one byte more than allowed, so that the check of the size refuses the value.
    if (size > LARGEST + 1) break
  }
  return withoutLineBreak(decoded(Buffer.concat(chunks)))
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UserError('secret', 'the value is not text in UTF-8', {
      hint: 'encode it first, for example: base64 FILE | npm run secrets set NAME',
    })
  }
}

/** `echo` and editors end a text with a line break that is not part of the value. */
export function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}
