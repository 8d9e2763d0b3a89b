import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openFirmwarePort } from '../../../flash/vm/firmware-port.ts'
import type { FirmwareState } from '../../../flash/vm/firmware-state.ts'
import { tempDirectory } from '../../helpers/temp.ts'

interface Port {
  readonly state: { tryboot: FirmwareState['tryboot'] }
  readonly guest: Socket
  /** Sends text, and waits for a number of answer lines. */
  say(text: string, lines: number): Promise<string[]>
}

async function openPort(tryboot: FirmwareState['tryboot'] = 'clear'): Promise<Port> {
  const socket = join(await tempDirectory(), 'firmware')
  const state = { tryboot }
  const setTryboot = (value: FirmwareState['tryboot']) => {
    state.tryboot = value
  }
  const port = await openFirmwarePort(socket, { tryboot: () => state.tryboot, setTryboot })
  const guest = connect(socket).setEncoding('latin1')
  onTestFinished(() => {
    guest.destroy()
    port.close()
  })
  const say = async (text: string, lines: number) => {
    let answer = ''
    guest.write(text)
    while (answer.split('\n').length <= lines) answer += (await once(guest, 'data'))[0]
    return answer.trim().split('\n')
  }
  return { state, guest, say }
}

describe("the guest's port to the firmware", () => {
  it('sets the one-shot trial flag and answers with it', async () => {
    const { state, say } = await openPort()
    expect(await say('tryboot 1\n', 1)).toEqual(['tryboot 1'])
    expect(state.tryboot).toBe('armed')
  })

  it('clears the trial flag', async () => {
    const { state, say } = await openPort('armed')
    expect(await say('tryboot 0\n', 1)).toEqual(['tryboot 0'])
    expect(state.tryboot).toBe('clear')
  })

  it('answers with the trial flag without changing it', async () => {
    const { state, say } = await openPort('armed')
    expect(await say('tryboot\n', 1)).toEqual(['tryboot 1'])
    expect(state.tryboot).toBe('armed')
  })

  it('ignores an unknown line on the port', async () => {
    const { state, say } = await openPort()
    expect(await say('tryboot 11\n1\nreboot\n', 3)).toEqual(['tryboot 0', 'tryboot 0', 'tryboot 0'])
    expect(state.tryboot).toBe('clear')
  })

  it('waits for the end of a line on the port', async () => {
    const { state, guest, say } = await openPort()
    guest.write('tryb')
    expect(await say('oot 1\n', 1)).toEqual(['tryboot 1'])
    expect(state.tryboot).toBe('armed')
  })
})
