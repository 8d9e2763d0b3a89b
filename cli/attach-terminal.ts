import type { ReadStream, WriteStream } from 'node:tty'
import type { Vm } from '../flash/vm/vm.ts'

export interface Terminal {
  readonly input: ReadStream | NodeJS.ReadableStream
  readonly output: WriteStream | NodeJS.WritableStream
}

const CTRL_C = '\x03'

/** What the keyboard controls: one machine, or several. */
export type Controlled = Pick<Vm, 'send' | 'stop'>

/** Connects the keyboard to the machine's console; Ctrl-C stops the machine. Returns a function that disconnects. */
export function attachTerminal(vm: Controlled, { input }: Terminal, signal: AbortSignal | undefined): () => void {
  const stop = () => void vm.stop()
  const raw = 'setRawMode' in input && input.isTTY ? input : undefined
  const onData = (data: Buffer | string) => {
    const text = data.toString()
    if (raw !== undefined && text.includes(CTRL_C)) stop()
    else vm.send(text)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, stop)
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  raw?.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return () => {
    input.off('data', onData)
    input.pause()
    raw?.setRawMode(false)
    signal?.removeEventListener('abort', stop)
    for (const name of signals) process.off(name, stop)
  }
}
