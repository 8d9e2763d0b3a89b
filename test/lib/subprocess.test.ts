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

  it('throws for a program that does not exist, and names the program, the reason and the remedy', async () => {
    await expect(run('no-such-program', [], { env: ENV })).rejects.toMatchObject({
      code: 'program',
      message: "cannot start 'no-such-program' on this machine: 'no-such-program': No such file or directory",
      hint: "install the program 'no-such-program', or correct PATH",
    })
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

  it('rejects when this machine cannot start the program or when a signal of another process ends it', async () => {
    const missing = startChild({ file: '/not/there', args: [], env: {} }, [])
    await expect(exitOf(missing)).rejects.toMatchObject({
      code: 'program',
      message: "cannot start 'there' on this machine: '/not/there': No such file or directory",
    })
    await expect(exitOf(startChild(SHELL, ['kill -TERM $$']))).rejects.toMatchObject({
      code: 'program',
      message: "'sh' ended on this machine by the signal SIGTERM: 'sh'",
    })
  })

  it('passes on the exit code of a program that writes as setpriv or a loader does', async () => {
    const line = 'setpriv: failed to execute /other: Permission denied'
    expect(await exitOf(startChild(SHELL, [`echo '${line}' >&2; exit 126`]))).toBe(126)
  })

  it('gives stderr to its reader, too', async () => {
    const child = startChild(SHELL, ['echo problem >&2; exit 3'])
    expect(await Promise.all([text(child.stderr), exitOf(child)])).toEqual(['problem\n', 3])
  })

  it('is ended by endChild', async () => {
    const child = startChild({ file: 'sleep', args: [], env: {} }, ['60'])
    const exit = exitOf(child)
    endChild(child)
    expect(await exit).toBe(137)
  })
})
