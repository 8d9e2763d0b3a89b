import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readSecret } from '../../cli/secret-input.ts'

/** A terminal that records its modes and everything that it shows. */
function terminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => void modes.push(mode) })
  const shown: string[] = []
  const output = new PassThrough().on('data', (data) => void shown.push(String(data)))
  return { input, output, modes, shown: () => shown.join('') }
}

const forever = () => new AbortController().signal

async function typing(...chunks: (string | Buffer)[]) {
  const at = terminal()
  const reading = readSecret('password: ', at, forever())
  for (const chunk of chunks) at.input.write(chunk)
  return { ...at, text: await reading }
}

describe('a secret at the prompt', () => {
  it('is not shown, and the terminal has its former mode afterwards', async () => {
    const { text, shown, modes } = await typing('hunt', 'er2\r')
    expect([text, shown(), modes]).toEqual(['hunter2', 'password: \n', [true, false]])
  })

  it.each<[string, (string | Buffer)[], string]>([
    ['the erase key', ['ab\x7fc\bd\n'], 'ad'],
    ['the key that erases the line', ['wrong\x15right\n'], 'right'],
    ['the key that ends the input', ['abc\x04'], 'abc'],
    ['a letter in two pieces', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], 'é'],
    ['letters outside the basic plane', ['a🔑\x7fb\n'], 'ab'],
  ])('takes %s', async (_what, keys, wanted) => {
    expect((await typing(...keys)).text).toBe(wanted)
  })

  it.each([
    ['a value of several lines', 'one\ntwo\n', 'the pasted value has several lines'],
    ['keys that are no text', 'a\x1b[Ab\n', 'the typed value contains control characters'],
  ])('refuses %s without quoting it', async (_what, keys, message) => {
    const at = terminal()
    const reading = readSecret('password: ', at, forever())
    at.input.write(keys)
    await expect(reading).rejects.toMatchObject({ code: 'secret', message: expect.stringContaining(message) })
    expect(at.modes).toEqual([true, false])
  })

  it('Ctrl-C sends its signal, and a stop restores the terminal', async () => {
    const killed = vi.spyOn(process, 'kill').mockReturnValue(true)
    onTestFinished(() => killed.mockRestore())
    const [at, stop] = [terminal(), new AbortController()]
    const reading = readSecret('password: ', at, stop.signal)
    at.input.write('abc\x03')
    await vi.waitFor(() => expect(killed).toHaveBeenCalledWith(process.pid, 'SIGINT'))
    stop.abort(new Error('stopped'))
    await expect(reading).rejects.toThrow('stopped')
    expect(at.modes).toEqual([true, false])
  })
})

describe('a secret on standard input', () => {
  const piped = (...chunks: (string | Uint8Array)[]) => {
    const input = new PassThrough()
    for (const chunk of chunks) input.write(chunk)
    input.end()
    const output = new PassThrough()
    return readSecret('password: ', { input, output }, forever()).finally(() => expect(output.read()).toBe(null))
  }

  it.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['one\ntwo\n\n', 'one\ntwo\n'],
    [' é \n', ' é '],
  ])('%j is the value %j: only one line break at the end is removed', async (text, wanted) => {
    expect(await piped(text)).toBe(wanted)
  })

  it('keeps a letter that arrives in two pieces', async () => {
    expect(await piped(Buffer.from([0xc3]), Buffer.from([0xa9]))).toBe('é')
  })

  it('refuses bytes that are not text', async () => {
    await expect(piped(Buffer.from([0xff, 0xfe]))).rejects.toMatchObject({
      message: 'the value is not text in UTF-8',
      hint: 'encode it first, for example: base64 FILE | npm run secrets set NAME',
    })
  })
})
