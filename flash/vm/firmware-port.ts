import { createServer } from 'node:net'
import type { FirmwareState } from './firmware-state.ts'

/** The firmware's state that a running guest can read and set. */
export interface Mailbox {
  tryboot(): FirmwareState['tryboot']
  setTryboot(value: FirmwareState['tryboot']): void
}

export interface FirmwarePort {
  close(): void
}

/**
 * Serves the guest's port to the firmware. The lines `tryboot 1` and `tryboot 0` set and clear the one-shot flag. The
 * answer to every line is the new value of the flag, so that the guest can check it.
 */
export async function openFirmwarePort(socket: string, mailbox: Mailbox): Promise<FirmwarePort> {
  const server = createServer((guest) => {
    let rest = ''
    guest.on('error', () => undefined)
    guest.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n')
      // The longest line, so that a guest that never ends its line cannot use up the memory.
      rest = (lines.pop() ?? '').slice(-LONGEST)
      for (const line of lines) guest.write(`${answer(line.trim(), mailbox)}\n`)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  return { close: () => server.close() }
}

const LONGEST = 256

function answer(line: string, mailbox: Mailbox): string {
  if (line === 'tryboot 1') mailbox.setTryboot('armed')
  if (line === 'tryboot 0') mailbox.setTryboot('clear')
  return `tryboot ${mailbox.tryboot() === 'armed' ? 1 : 0}`
}
