import { describe, expect, it } from 'vitest'
import { SerialConsole } from '../../../flash/vm/console.ts'

describe('SerialConsole', () => {
  it('finds text that was written before the call', async () => {
    const console = new SerialConsole()
    console.append('adama login: ')
    expect((await console.waitFor(/(\w+) login:/, 1))[1]).toBe('adama')
  })

  it('waits for text that arrives in pieces', async () => {
    const console = new SerialConsole()
    const found = console.waitFor(/login/, 1)
    console.append('lo')
    console.append('gin')
    expect((await found)[0]).toBe('login')
  })

  it('skips console text that was already read, if the caller requests it', async () => {
    const console = new SerialConsole()
    console.append('login')
    const found = console.waitFor(/login/, 1, console.text.length)
    console.append('…')
    await expect(Promise.race([found, Promise.resolve('nothing yet')])).resolves.toBe('nothing yet')
    console.append('login')
    expect((await found)[0]).toBe('login')
  })

  it('fails at the deadline and shows the last lines of the console', async () => {
    const console = new SerialConsole()
    console.append('kernel panic')
    await expect(console.waitFor(/login/, 0.05)).rejects.toThrow(
      /not on the console within 0.05 s: \/login\/.*\nkernel panic/,
    )
  })

  it('stops waiting for text when the machine ends', async () => {
    const console = new SerialConsole()
    const found = console.waitFor(/login/, 60)
    console.end()
    await expect(found).rejects.toThrow('the machine ended before')
    await expect(console.waitFor(/login/, 60)).rejects.toThrow('the machine ended before')
  })
})
