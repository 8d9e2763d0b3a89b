import { existsSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { daggerRunner } from '../../../../builder/runners/dagger.ts'
import { type Derivation, derivationDigest } from '../../../../images/derivation.ts'
import { derivation } from '../../../helpers/derivation.ts'
import { fakeSession, type SessionBehaviour } from '../../../helpers/fake-dagger/server.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { smallToolchain } from '../../../helpers/small-toolchain.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

/** A runner on a fake session with the given behaviour. Its toolchain has no programs, so no command runs. */
async function runnerOn(behaviour: SessionBehaviour, signal?: AbortSignal) {
  const { store, fetch, toolchain } = await smallToolchain([{ name: 'one', files: { 'usr/bin/one': 'one\n' } }])
  const session = await fakeSession(await tempDirectory(), behaviour)
  onTestFinished(() => session.close())
  vi.stubEnv('DAGGER_SESSION_PORT', String(session.port))
  vi.stubEnv('DAGGER_SESSION_TOKEN', session.token)
  const runner = daggerRunner({ store, fetch, signal })
  const reporter = listReporter()
  const some = (given: Partial<Derivation>) => derivation({ toolchain, ...given })
  return { store, session, reporter, some, realise: (wanted: Derivation) => runner.realise([wanted], reporter) }
}

const json = (value: unknown, status = 200) => ({ status, body: JSON.stringify(value) })

/** The answer of an engine to a query whose command failed. */
function execError(query: string) {
  const cmd = JSON.parse(/args: (\[.*\]),stdin/.exec(query)?.[1] ?? '[]')
  const extensions = { _type: 'EXEC_ERROR', cmd, exitCode: 7, stdout: 'a\nthe reason', stderr: '' }
  return json({ errors: [{ message: 'exit code: 7', extensions }], data: null })
}

const isRun = (query: string) => / stdout | stderr | export /.test(query)

describe('a derivation that fails in an engine', () => {
  it('reports a failed dependency by name, with its last lines and its own log', async () => {
    let first = ''
    const { realise, some, reporter } = await runnerOn({
      instead: (query) => {
        if (query.includes('made-first')) first = query
        return isRun(query) ? execError(first) : undefined
      },
    })
    const from = some({ name: 'first', command: ['made-first'] })
    const wanted = some({ name: 'second', inputs: { given: { from, file: 'file' } }, command: ['made-second'] })
    const error = (await realise(wanted).catch((each) => each)) as Error & { hint: string }
    expect(error).toMatchObject({
      code: 'derivation',
      message: "derivation 'first' failed with status 7:\n  a\n  the reason",
    })
    const log = error.hint.replace('complete log: ', '')
    expect(existsSync(log) && readFileSync(log, 'utf8')).toBe('a\nthe reason\n')
    expect(reporter.ended.filter((each) => /failed|second/.test(each))).toEqual(['first: failed'])
  })

  it('a corrupt input fails the step that sends inputs, and no other step', async () => {
    const { realise, some, reporter, store } = await runnerOn({})
    const object = await store.putBytes('text')
    await chmod(store.path(object), 0o644)
    await writeFile(store.path(object), 'txet')
    await expect(realise(some({ name: 'first', inputs: { given: { object } } }))).rejects.toMatchObject({
      code: 'store',
    })
    expect(reporter.ended.filter((each) => /failed|first/.test(each))).toEqual([
      'send inputs to the Dagger engine: failed',
    ])
  })

  it('a full disk of the engine gives a hint', async () => {
    const full = json({
      errors: [
        { message: '', extensions: { _type: 'EXEC_ERROR', cmd: [], exitCode: 1, stdout: 'No space left on device' } },
      ],
    })
    const { realise, some } = await runnerOn({ instead: (query) => (isRun(query) ? full : undefined) })
    await expect(realise(some({}))).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('No space left on device'),
    })
  })

  it.each([
    ['an error of its own', json({ errors: [{ message: 'no such snapshot' }], data: null }), 'no such snapshot'],
    ['an error with another status', json({ errors: [{ message: 'no such snapshot' }] }, 422), 'no such snapshot'],
    ['something that is no JSON', { status: 200, body: 'garbage' }, 'not valid JSON'],
    ['nothing but a status', { status: 500, body: '' }, 'API Error'],
  ])('a derivation that fails because of %s reports the reason', async (_, answer, said) => {
    const { realise, some } = await runnerOn({ instead: (query) => (isRun(query) ? answer : undefined) })
    await expect(realise(some({}))).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(new RegExp(`^the Dagger engine failed: .*${said}`)),
      hint: expect.stringContaining('--runner local'),
    })
  })

  it('an engine of another version fails with the wanted version, and receives no other query', async () => {
    const { realise, some, session } = await runnerOn({ version: 'v0.20.8' })
    await expect(realise(some({}))).rejects.toMatchObject({
      message: "the Dagger engine has version 'v0.20.8', wanted 0.21",
    })
    expect(session.queries).toHaveLength(1)
  })

  it('an abort ends a derivation in an engine at once', async () => {
    const stop = new AbortController()
    const reason = new Error('stopped')
    const { realise, some, store } = await runnerOn(
      {
        instead: (query) => {
          if (isRun(query)) stop.abort(reason)
          return undefined
        },
      },
      stop.signal,
    )
    const wanted = some({})
    await expect(realise(wanted)).rejects.toBe(reason)
    expect(store.output(derivationDigest(wanted))).toBeUndefined()
  })
})

describe('queries to an engine', () => {
  it('queries name the platform and the root image, and request capabilities only for derivations that declare them', async () => {
    const { realise, some, session } = await runnerOn({
      instead: (query) => (isRun(query) ? json({ errors: [{ message: 'enough' }] }) : undefined),
    })
    const object = { bytes: 'text' }
    await realise(some({ privilege: 'all', inputs: { 'a/b': object }, command: ['--word'] })).catch(() => undefined)
    const run = session.queries.find(isRun) ?? ''
    expect(run).toMatch(/container \(platform: "linux\/amd64"\) \{ import \(source: "\w+"\)/)
    expect(run).toMatch(/withMountedDirectory \(path: "\/in",source: "\w+",readOnly: true\)/)
    expect(run).toContain('insecureRootCapabilities: true')
    expect(run.match(/insecureRootCapabilities/g)).toHaveLength(1)
    const lay = session.queries.find((query) => /path: "\/objects"/.test(query)) ?? ''
    expect(lay).toContain('withExec')
    expect(lay).not.toContain('insecureRootCapabilities')
    const host = session.queries.filter((query) => /host/.test(query))
    expect(host.filter((query) => /directory/.test(query))).toHaveLength(1)
    expect(host.join()).toMatch(/file \(path: "[^"]*"\)/)
  })

  it('sends no query when the store has every output', async () => {
    const { realise, some, session, store, reporter } = await runnerOn({})
    const wanted = some({ name: 'there' })
    await store.record(derivationDigest(wanted), {})
    expect([...(await realise(wanted))]).toEqual([[derivationDigest(wanted), {}]])
    expect({ queries: session.queries, ended: reporter.ended }).toEqual({ queries: [], ended: ['there: reused'] })
  })

  it('the fake engine refuses unknown fields, unknown arguments and wrong types', async () => {
    const { session } = await runnerOn({})
    const ask = async (query: string, token = session.token) => {
      const answer = await fetch(`http://127.0.0.1:${session.port}/query`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}` },
        body: JSON.stringify({ query }),
      })
      return answer.ok
        ? ((await answer.json()) as { errors?: { message: string }[] }).errors?.[0]?.message
        : answer.status
    }
    expect(await ask('{ version }')).toBeUndefined()
    expect(await ask('{ version }', 'another')).toBe(401)
    expect(await ask('{ container (platform: "p") { from (address: "a") { id } } }')).toContain(
      'Cannot query field "from"',
    )
    expect(await ask('{ host { directory (path: "/", include: [], noCache: true) { id } } }')).toContain(
      'Unknown argument',
    )
    expect(await ask('{ container (platform: "p") { withExec (args: [1]) { id } } }')).toContain(
      'String cannot represent',
    )
  })
})
