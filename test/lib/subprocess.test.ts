import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { endChild, exitOf, feed, run, startChild } from '../../lib/subprocess.ts'
import { tempDirectory } from '../helpers/temp.ts'

const ENV = { PATH: process.env.PATH ?? '/usr/bin:/bin' }
const SHELL = { file: 'sh', args: ['-c'], env: {} }

describe('run', () => {
  it('returns the exit code, and stdout and stderr in the order of the writes', async () => {
    const finished = await run('sh', ['-c', 'echo one; echo two >&2; exit 3'], { env: ENV })
    expect(finished).toEqual({ exitCode: 3, output: 'one\ntwo' })
  })

  it('gives the program only the given environment and input', async () => {
    const { output } = await run('sh', ['-c', 'cat; echo "$GIVEN $HOME"'], {
      env: { ...ENV, GIVEN: 'a' },
      input: 'in ',
    })
    expect(output.trim()).toBe('in a')
  })

  it('writes stdout and stderr to a log file', async () => {
    const log = join(await tempDirectory(), 'log')
    await run('sh', ['-c', 'echo one; echo two >&2'], { env: ENV, log })
    expect(await readFile(log, 'utf8')).toBe('one\ntwo\n')
  })

  it('returns an exit code for a program that does not exist', async () => {
    const { exitCode, output } = await run('no-such-program', [], { env: ENV })
    expect(exitCode).not.toBe(0)
    expect(output).toContain('no-such-program')
  })

  it('kills the program and throws the reason when the signal is aborted', async () => {
    const stop = new AbortController()
    const running = run('sleep', ['60'], { env: ENV, signal: stop.signal })
    stop.abort(new Error('Ctrl-C'))
    await expect(running).rejects.toThrow('Ctrl-C')
  })
})

describe('startChild', () => {
  it('feeds bytes to the program, and returns its exit code', async () => {
    const child = startChild(SHELL, ['cat; exit 4'])
    const [output, exit] = [text(child.stdout), exitOf(child)]
    async function* bytes() {
      yield Buffer.from('some ')
      yield Buffer.from('bytes')
    }
    expect(await feed(child, bytes())).toBeUndefined()
    expect([await output, await exit]).toEqual(['some bytes', 4])
  })

  it('kills the program and returns the error when the bytes cannot be read', async () => {
    const child = startChild(SHELL, ['cat >/dev/null; echo complete'])
    const exit = exitOf(child)
    // biome-ignore lint/correctness/useYield: the source fails before its first piece.
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('the disk is gone')
    }
    expect(await feed(child, broken())).toEqual({ failed: new Error('the disk is gone') })
    expect(await exit).toBe(137)
  })

  it('returns from feed when the program stops reading early', async () => {
    const child = startChild(SHELL, ['exit 0'])
    const exit = exitOf(child)
    async function* endless() {
      for (;;) yield Buffer.alloc(65_536)
    }
    expect(await feed(child, endless())).toBeUndefined()
    expect(await exit).toBe(0)
  })

  it('endChild ends a program', async () => {
    const child = startChild({ file: 'sleep', args: [], env: {} }, ['60'])
    const exit = exitOf(child)
    endChild(child)
    expect(await exit).toBe(137)
  })
})
