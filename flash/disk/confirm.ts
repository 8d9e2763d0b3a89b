import { createInterface } from 'node:readline'
import { UserError } from '../../errors.ts'
import { plainText } from '../ssh/remote.ts'

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
}

export interface Question {
  /** What is about to happen, line by line. */
  readonly lines: readonly string[]
  /** The word to type. */
  readonly answer: string
  readonly signal?: AbortSignal | undefined
}

/** Asks somebody at a terminal to type a word; anything else, and nothing happens. */
export async function confirm({ lines, answer, signal }: Question, { input, output }: Terminal): Promise<void> {
  output.write(lines.map((line) => `${line}\n`).join(''))
  if (!input.isTTY) {
    throw new UserError('usage', 'nobody is here to confirm: standard input is no terminal', {
      hint: 'with --yes nothing is asked',
    })
  }
  output.write(`type '${answer}' to go on: `)
  const typed = await typedLine(input, signal)
  if (typed === answer) return
  throw new UserError('usage', `nothing was written: '${typed}' was typed, wanted '${answer}'`, {
    hint: 'look once more which disk it is, and type the same command again',
  })
}

/** Empty where the input ends. The terminal stays as it is: its Ctrl-C is a signal like any other. */
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
