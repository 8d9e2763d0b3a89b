import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { generationsOf } from '../../../builder/generations/record.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { verifyStore } from '../../../builder/store/verify.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { sumsIn } from '../../helpers/output-files.ts'
import { machine, TINY } from '../../helpers/publishing.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { type SmallRegistry, smallRegistry } from '../../helpers/small-registry.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A process that publishes or pulls until the test kills it. */
const WORKER = `
import { openRepository } from './builder/publish/open-repository.ts'
import { publish } from './builder/publish/publish.ts'
import { pull } from './builder/publish/pull.ts'
import { parseRemote } from './builder/publish/remote.ts'
import { openStore } from './builder/store/directory.ts'
import { QUIET } from './cli/display/quiet.ts'
const [, , command, root, at, output, host] = process.argv
const { remote, reference } = parseRemote(at)
const options = { env: {}, actions: 'pull,push', transport: 'https', onRetry: () => {} }
const signal = new AbortController().signal
const given = {
  ...{ store: await openStore(root), reporter: QUIET, signal, reference, output, number: undefined, tag: undefined },
  open: (stop) => openRepository(remote, { ...options, signal: stop }),
}
await (command === 'pull' ? pull({ ...given, host: JSON.parse(host) }) : publish({ ...given, host: 'tiny' }))
`

async function bench() {
  const registry = await smallRegistry()
  const at = `oci://127.0.0.1:${registry.port}/hangar`
  const program = await childProgram(WORKER, await tempDirectory())
  const start = (command: 'pull' | 'publish', { store, output }: { store: { root: string }; output: string }) => {
    const args = [program, command, store.root, at, output, JSON.stringify(TINY)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    return { child, ended: once(child, 'exit') }
  }
  return { registry, at, start }
}

/** Stops answering the matching requests. The returned function resolves when every open request waits for an answer. */
function hold(registry: SmallRegistry, isHeld: (request: string) => boolean) {
  let held = 0
  registry.intercept = () => {
    const isOne = isHeld(registry.requests.at(-1) ?? '')
    held += isOne ? 1 : 0
    return isOne
  }
  return async () => {
    for (let tries = 0; held === 0; tries += 1) {
      if (tries > 400) throw new Error('no such request arrived')
      await sleep(25)
    }
    await sleep(500)
  }
}

const blobs = (requests: readonly string[], method: string) =>
  requests.filter((each) => each.startsWith(`${method} blobs/sha`))

describe('SIGKILL', () => {
  it('a killed pull leaves no incomplete object, and the next pull fetches only the rest', async () => {
    const { registry, at, start } = await bench()
    const [builder, controller] = [await machine(), await machine()]
    await builder.build()
    await builder.publish(at)
    const base = generationsOf(builder.store.root, 'tiny').at(-1)?.parts?.layers[0]?.digest ?? 'none'
    const isStuck = hold(registry, (request) => request === `GET blobs/sha256:${base}`)
    const { child, ended } = start('pull', controller)
    await isStuck()
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(existsSync(controller.output)).toBe(false)
    expect(generationsOf(controller.store.root, 'tiny')).toEqual([])

    registry.intercept = () => false
    registry.requests.splice(0)
    const store = await openStore(controller.store.root)
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([])
    expect((await verifyStore(store, listReporter())).damaged).toEqual([])
    await controller.pull(at)
    expect(blobs(registry.requests, 'GET')).toEqual([`GET blobs/sha256:${base}`])
    expect(sumsIn(controller.output)).toEqual(sumsIn(builder.output))
  })

  it('a killed publish leaves no tag, and the next publish sends only the rest', async () => {
    const { registry, at, start } = await bench()
    const [builder, controller] = [await machine(), await machine()]
    await builder.build()
    let uploads = 0
    const isStuck = hold(registry, (request) => request.startsWith('PATCH') && ++uploads > 6)
    const { child, ended } = start('publish', builder)
    await isStuck()
    child.kill('SIGKILL')
    await ended
    const arrived = registry.blobs.size
    expect(arrived).toBeGreaterThan(0)
    await expect(controller.pull(at)).rejects.toMatchObject({ message: expect.stringContaining('there is no image') })

    registry.intercept = () => false
    registry.requests.splice(0)
    const { sent, there } = await builder.publish(at)
    expect([there.count, sent.count + there.count]).toEqual([arrived, registry.blobs.size])
    expect(registry.requests.filter((each) => each.startsWith('PATCH'))).toHaveLength(sent.count)
    await controller.pull(at)
    expect(sumsIn(controller.output)).toEqual(sumsIn(builder.output))
  })
})

describe('an abort signal', () => {
  it('an abort signal ends a pull with its reason, and the next pull continues', async () => {
    const { registry, at } = await bench()
    const [builder, controller] = [await machine(), await machine()]
    await builder.build()
    await builder.publish(at)
    const base = generationsOf(builder.store.root, 'tiny').at(-1)?.parts?.layers[0]?.digest ?? 'none'
    const isStuck = hold(registry, (request) => request === `GET blobs/sha256:${base}`)
    const stop = new AbortController()
    const pulling = controller.pull(at, {}, stop.signal)
    const ended = expect(pulling).rejects.toThrow('stopped by SIGINT')
    await isStuck()
    stop.abort(new Error('stopped by SIGINT'))
    await ended
    expect(readdirSync(join(controller.store.root, 'tmp'))).toEqual([])
    registry.intercept = () => false
    expect((await controller.pull(at)).generation).toBe(1)
  })

  it('the failure of one transfer ends all transfers', async () => {
    const { registry, at } = await bench()
    const builder = await machine()
    await builder.build()
    registry.intercept = ({ method }, response) => {
      if (method !== 'PATCH') return false
      if (registry.requests.filter((each) => each.startsWith('PATCH')).length === 3) response.writeHead(403).end()
      return true
    }
    await expect(builder.publish(at)).rejects.toMatchObject({ message: expect.stringContaining('HTTP 403') })
  })
})
