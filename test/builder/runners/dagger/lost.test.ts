import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DEADLINES } from '../../../../builder/runners/dagger/connection.ts'
import { withEngine } from '../../../../builder/runners/dagger/session.ts'
import { daggerRunner } from '../../../../builder/runners/dagger.ts'
import { childProgram } from '../../../helpers/child-program.ts'
import { derivation } from '../../../helpers/derivation.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { fakeCli } from '../../../helpers/fake-dagger/cli.ts'
import { fakeSession, type SessionBehaviour } from '../../../helpers/fake-dagger/server.ts'
import { commandLines, processes } from '../../../helpers/processes.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { PROJECT, storeWithToolchain } from '../../../helpers/toolchain.ts'

/** A heart that beats fast, so that the tests need not wait. */
const deadlines = { ...DEADLINES, connect: 2000, rhythm: { tick: 20, ask: 2, patience: 10 } }
const RUN = / stdout | stderr /

async function sessionWith(behaviour: SessionBehaviour) {
  const session = await fakeSession(await tempDirectory(), behaviour)
  onTestFinished(() => session.close())
  vi.stubEnv('DAGGER_SESSION_PORT', String(session.port))
  vi.stubEnv('DAGGER_SESSION_TOKEN', session.token)
  const log = join(await tempDirectory(), 'dagger.log')
  return { session, options: { log, connecting: listReporter().step('connect'), deadlines } }
}

/** Work that waits for the engine without an end. */
const waiting = (_: unknown, { signal }: AbortController) =>
  new Promise<never>((__, reject) => signal.addEventListener('abort', () => reject(new Error('a failed query'))))

describe('an engine that goes away', () => {
  it('an engine that stops answering is lost, and the error gives the time without an answer', async () => {
    let isGone = false
    const { options } = await sessionWith({ instead: () => (isGone ? 'silence' : undefined) })
    const used = withEngine(options, (engine, stop) => {
      isGone = true
      return waiting(engine, stop)
    })
    await expect(used).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/^lost the Dagger engine at '127\.0\.0\.1:\d+' during the build: no answer for /),
      hint: expect.stringContaining('it continues where it stopped'),
    })
  })

  it('an engine that still answers is not lost during a long command', async () => {
    const { options, session } = await sessionWith({ instead: (query) => (RUN.test(query) ? 'silence' : undefined) })
    const beats = () => session.queries.filter((query) => query.includes('version')).length
    const used = withEngine(options, async (_, { signal }) => {
      await eventually(async () => beats() > 20, 30)
      return signal.aborted
    })
    expect(await used).toBe(false)
  })

  it('a closed session is lost with the reason of the system', async () => {
    const { options, session } = await sessionWith({})
    const used = withEngine(options, async (engine) => {
      await session.close()
      return engine.exec({
        ...{ root: engine.root('/image', 'amd64'), mounts: {}, workdir: '/', args: ['true'], stdin: '' },
        privilege: 'default',
      })
    })
    await expect(used).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/^lost the Dagger engine at .*: connection refused \(ECONNREFUSED\)$/),
    })
  })

  it.each([
    ['an API error', { status: 502, body: '' }],
    ['garbage', { status: 200, body: 'garbage' }],
  ])('%s counts as a lost engine only if the next query fails too', async (_, answer) => {
    for (const isGone of [true, false]) {
      const { options } = await sessionWith({
        instead: (query) => (RUN.test(query) || (isGone && began) ? answer : undefined),
      })
      let began = false
      const failing = withEngine(options, async (engine) => {
        began = true
        const command = await engine.exec({
          ...{ root: engine.root('/image', 'amd64'), mounts: {}, workdir: '/', args: ['true'], stdin: '' },
          privilege: 'default',
        })
        return command.output()
      })
      const message = isGone ? /^lost the Dagger engine/ : /^the Dagger engine failed: /
      await expect(failing).rejects.toMatchObject({ code: 'engine', message: expect.stringMatching(message) })
    }
  })
})

/** A runner with a CLI of its own, and one endless command. */
async function endless(seconds: string) {
  const directory = await tempDirectory()
  vi.stubEnv('DAGGER_SESSION_PORT', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_CLI_BIN', await fakeCli(directory))
  const { store, fetch, toolchain } = await storeWithToolchain()
  const wanted = derivation({
    ...{ name: 'endless', system: toolchain.architecture, toolchain },
    command: ['sleep', seconds],
  })
  const reporter = listReporter()
  const realised = daggerRunner({ store, fetch }).realise([wanted], reporter)
  realised.catch(() => undefined)
  return { directory, realised, reporter, cli: () => pidsOf(join(directory, 'program.mjs')) }
}

describe("Dagger's CLI", () => {
  it('a killed CLI ends the build with an error that names the signal', async () => {
    const seconds = `1002.${process.pid}`
    const { realised, reporter, cli } = await endless(seconds)
    await eventually(async () => isRunning(seconds), 60)
    for (const pid of cli()) process.kill(pid, 'SIGKILL')
    await expect(realised).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/^lost the Dagger engine at .*: 'dagger' ended .* by the signal SIGKILL/),
    })
    expect(cli()).toEqual([])
    expect(reporter.ended).not.toContain('endless: built')
  })

  it('ends when hangar is killed', async () => {
    const directory = await tempDirectory()
    const programs = await tempDirectory()
    const program = await childProgram(HOLDER, programs)
    // The program loads Dagger's SDK from beside itself.
    symlinkSync(join(PROJECT, 'node_modules'), join(programs, 'node_modules'))
    const cli = await fakeCli(directory)
    const env = { ...process.env, _EXPERIMENTAL_DAGGER_CLI_BIN: cli, DAGGER_SESSION_PORT: '' }
    const holder = spawn(process.execPath, [program, join(directory, 'log')], { stdio: 'inherit', env })
    onTestFinished(() => void holder.kill('SIGKILL'))
    const isHeld = () => pidsOf(`${directory}/engine`).length > 0
    await eventually(async () => isHeld(), 60)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await eventually(async () => !isHeld(), 20)
    expect(isHeld()).toBe(false)
  })
})

/** Holds a session open without an end. */
const HOLDER = `
import { withEngine } from './builder/runners/dagger/session.ts'
const step = { advance() {}, done() {}, failed() {} }
await withEngine({ log: process.argv[2], connecting: step }, () => new Promise(() => {}))
`

describe('the address of a lost engine', () => {
  it('a socket that has disappeared names the reason of the system', async () => {
    const directory = await tempDirectory()
    const path = join(directory, 'engine.sock')
    const server = createServer(() => undefined).listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    vi.stubEnv('DAGGER_SESSION_PORT', undefined)
    vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', `unix://${path}`)
    vi.stubEnv('_EXPERIMENTAL_DAGGER_CLI_BIN', await fakeCli(directory))
    const log = join(directory, 'dagger.log')
    const used = withEngine({ log, connecting: listReporter().step('connect') }, async (engine) => {
      server.close()
      rmSync(path, { force: true })
      // The fake CLI answers that it cannot do this.
      const command = await engine.exec({
        ...{ root: engine.root('/nowhere', 'amd64'), mounts: {}, workdir: '/', args: ['true'], stdin: '' },
        privilege: 'default',
      })
      return command.output()
    })
    await expect(used).rejects.toMatchObject({
      message: `lost the Dagger engine at 'unix://${path}' during the build: the socket does not exist (ENOENT)`,
    })
  })
})

function isRunning(seconds: string): boolean {
  return commandLines().some((command) => command.join(' ') === `sleep ${seconds}`)
}

function pidsOf(word: string): number[] {
  return processes()
    .filter(({ command }) => command.includes(word))
    .map(({ pid }) => pid)
}
