import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { plainText } from '../flash/ssh/remote.ts'

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
}

export interface Question {
  /** The lines that explain what will happen. */
  readonly lines: readonly string[]
  /** The word that the user has to type. */
  readonly answer: string
  readonly signal?: AbortSignal | undefined
}

/** Asks the person at the terminal to type a word. Throws if the person types anything else. */
export async function confirm({ lines, answer, signal }: Question, { input, output }: Terminal): Promise<void> {
  output.write(lines.map((line) => `${line}\n`).join(''))
  if (!input.isTTY) {
    throw new UserError('usage', 'cannot ask for a confirmation: standard input is not a terminal', {
      hint: 'to write without a question: --yes',
    })
  }
  output.write(`type '${answer}' to continue: `)
  const typed = await typedLine(input, signal)
  if (typed === answer) return
  throw new UserError('usage', `nothing was written: you typed '${typed}', wanted '${answer}'`, {
    hint: 'check that it is the right disk, then run the same command again',
  })
}

/**
 * Reads a line; empty if the input ends. Does not change the mode of the terminal, so that Ctrl-C still sends a signal.
 */
async function typedLine(input: NodeJS.ReadableStream, signal: AbortSignal | undefined): Promise<string> {
  const reader = createInterface({ input, terminal: false })
  const stop = () => reader.close()
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  try {
    const line = await new Promise<string>((resolve) => {
      reader.once('line', resolve)
      reader.once('close', () => resolve(''))
    })
    signal?.throwIfAborted()
    return plainText(line)
  } finally {
    signal?.removeEventListener('abort', stop)
    reader.close()
  }
}
