import { createServer } from 'node:net'
import type { FirmwareState } from './firmware-state.ts'

/** What the guest may ask of the firmware while it runs. */
export interface Mailbox {
  tryboot(): FirmwareState['tryboot']
  setTryboot(value: FirmwareState['tryboot']): void
}

export interface FirmwarePort {
  close(): void
}

/**
 * Listens behind the guest's port to the firmware. `tryboot 1` and `tryboot 0` set the one-shot flag; every line, these
 * or any other, is answered with `tryboot 0` or `tryboot 1` as it then is, so that nothing is taken to be set unseen.
 */
export async function openFirmwarePort(socket: string, mailbox: Mailbox): Promise<FirmwarePort> {
  const server = createServer((guest) => {
    let rest = ''
    guest.on('error', () => undefined)
    guest.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n')
      // A guest that never ends its line must not fill this machine's memory.
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
