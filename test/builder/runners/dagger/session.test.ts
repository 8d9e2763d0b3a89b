import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DEADLINES } from '../../../../builder/runners/dagger/connection.ts'
import { downloadFailed } from '../../../../builder/runners/dagger/engine-failure.ts'
import { withEngine } from '../../../../builder/runners/dagger/session.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { failingCli, fakeCli, fakeProgram } from '../../../helpers/fake-dagger/cli.ts'
import { commandLines } from '../../../helpers/processes.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function sessionWith(makeCli: (directory: string) => string | Promise<string>) {
  const directory = await tempDirectory()
  vi.stubEnv('DAGGER_SESSION_PORT', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_CLI_BIN', await makeCli(directory))
  const reporter = listReporter()
  const log = join(directory, 'logs/dagger.log')
  const options = (signal?: AbortSignal) => ({ log, signal, connecting: reporter.step('connect') })
  return { directory, log, reporter, options }
}

/** The number of processes with this word in their command line. */
function running(word: string): number {
  return commandLines().filter((command) => command.includes(word)).length
}

describe('withEngine', () => {
  it('writes the output of the CLI to a log, and ends the CLI afterwards', async () => {
    const { directory, log, reporter, options } = await sessionWith(fakeCli)
    const program = join(directory, 'program.mjs')
    const used = await withEngine(options(), async (engine) => ({ version: engine.version, running: running(program) }))
    expect(used).toEqual({ version: 'v0.21.9', running: 1 })
    expect(reporter.ended).toEqual(['connect: done'])
    expect(readFileSync(log, 'utf8')).toContain('connecting to nothing')
    expect(running(program)).toBe(0)
  })

  it('runs one session at a time, and rethrows errors of the caller', async () => {
    const { options } = await sessionWith(fakeCli)
    const order: string[] = []
    const use = (name: string) => async () => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 50))
      order.push(`${name} ends`)
      throw new Error(name)
    }
    const both = await Promise.allSettled([withEngine(options(), use('one')), withEngine(options(), use('other'))])
    expect(both).toMatchObject([{ reason: { message: 'one' } }, { reason: { message: 'other' } }])
    expect(order).toEqual(['one begins', 'one ends', 'other begins', 'other ends'])
  })

  it('reports the last line and the log of a failed CLI, and suggests the local runner', async () => {
    const { log, reporter, options } = await sessionWith((directory) => failingCli(directory, 'docker: no such daemon'))
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: 'cannot reach the Dagger engine: docker: no such daemon',
      hint: `complete log: ${log}; or build without it: npm run build:image HOST -- --runner local`,
    })
    expect(reporter.ended).toEqual(['connect: failed'])
  })

  it('reports a CLI that fails without output', async () => {
    const { options } = await sessionWith((directory) => failingCli(directory, ''))
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      message: "cannot reach the Dagger engine: Dagger's CLI ended with status 1 without output",
    })
  })

  it('reports a program that is not the CLI by what it prints', async () => {
    const { options } = await sessionWith((directory) => fakeProgram(directory, 'echo hello; exec cat'))
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining("Dagger's CLI printed 'hello', wanted the port of a session"),
    })
  })

  it('reports a CLI that this machine cannot start', async () => {
    const { options } = await sessionWith((directory) => fakeProgram(directory, ''))
    const file = process.env._EXPERIMENTAL_DAGGER_CLI_BIN ?? ''
    writeFileSync(file, '#!/nowhere/sh\n')
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining(`cannot start 'dagger' on this machine: '${file}': No such file or directory`),
    })
  })

  it('ends on an abort when its work has ended, and kills the CLI', async () => {
    const { directory, options } = await sessionWith(fakeCli)
    const stop = new AbortController()
    const reason = new Error('stopped')
    let hasEnded = false
    const used = withEngine(options(stop.signal), async (_, { signal }) => {
      stop.abort(reason)
      expect(signal.reason).toBe(reason)
      await new Promise((resolve) => setTimeout(resolve, 50))
      hasEnded = true
      throw new Error('a query failed')
    })
    await expect(used).rejects.toBe(reason)
    expect(hasEnded).toBe(true)
    expect(running(join(directory, 'program.mjs'))).toBe(0)
  })
})

/** A CLI that tries forever and ignores SIGTERM, as Dagger's does. */
function tryingCli(directory: string): string {
  const program = `trap '' TERM INT; while :; do '${process.execPath}' -e 'setTimeout(() => {}, 1000)' '${directory}'; done`
  return fakeProgram(directory, program)
}

/** An address of an engine that accepts connections and says nothing. */
async function silentAddress(): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('withEngine and an engine that does not answer', () => {
  it('an engine that does not answer fails after the timeout, and the CLI ends', async () => {
    const { directory, options, reporter } = await sessionWith(tryingCli)
    const address = await silentAddress()
    vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', address)
    const deadlines = { ...DEADLINES, answer: 300 }
    await expect(withEngine({ ...options(), deadlines }, async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: `cannot reach the Dagger engine: no answer from '${address}' within 0.3 s`,
    })
    expect(reporter.ended).toEqual(['connect: failed'])
    expect(running(join(directory, 'dagger'))).toBe(0)
  })

  it('an abort ends the wait for an engine at once', async () => {
    const { directory, options } = await sessionWith(tryingCli)
    vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', await silentAddress())
    const stop = new AbortController()
    const used = withEngine(options(stop.signal), async () => 'used')
    used.catch(() => undefined)
    await eventually(async () => running(join(directory, 'dagger')) === 1, 20)
    stop.abort(new Error('stopped'))
    await expect(used).rejects.toThrow('stopped')
    expect(running(join(directory, 'dagger'))).toBe(0)
  })

  it('starts no CLI when nothing listens at the address', async () => {
    const { directory, options } = await sessionWith(tryingCli)
    vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', `unix://${directory}/nothing.sock`)
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: `cannot reach the Dagger engine at 'unix://${directory}/nothing.sock': the socket does not exist (ENOENT)`,
    })
    expect(running(join(directory, 'dagger'))).toBe(0)
  })
})

describe('withEngine and DAGGER_SESSION_PORT', () => {
  it('reports an external session (DAGGER_SESSION_PORT) that does not answer', async () => {
    const { reporter, options } = await sessionWith(() => '')
    vi.stubEnv('DAGGER_SESSION_PORT', '9')
    vi.stubEnv('DAGGER_SESSION_TOKEN', 'token')
    await expect(withEngine(options(), async () => 'used')).rejects.toMatchObject({
      code: 'engine',
      message: "cannot reach the Dagger engine at '127.0.0.1:9': connection refused (ECONNREFUSED)",
    })
    expect(reporter.ended).toEqual(['connect: failed'])
  })
})

describe('downloadFailed', () => {
  it('names the innermost reason, and how to name a CLI', () => {
    const cause = new Error('failed to download dagger cli binary: FetchError: getaddrinfo ENOTFOUND dl.example')
    expect(downloadFailed(new Error(`failed to execute function: ${cause}`, { cause }))).toMatchObject({
      code: 'engine',
      message: `cannot download Dagger's CLI: ${cause.message}`,
      hint: expect.stringContaining('_EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger'),
    })
  })
})
