import { createReadStream } from 'node:fs'
import { link, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type Derivation,
  dependencies,
  derivationDigest,
  type Input,
  type Output,
  type OutputFile,
} from '../../images/derivation.ts'
import { type Digest, Digester } from '../../images/digest.ts'
import type { LockedPackage } from '../../images/lock.ts'
import type { Reporter } from '../reporter.ts'
import type { Store } from '../store/store.ts'
import { type Fetch, toolchainDirectory } from '../toolchain.ts'
import type { Runner } from './runner.ts'
import { checkSandbox, runSandboxed } from './sandbox.ts'

export interface LocalRunnerOptions {
  readonly store: Store
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
}

/** Runs derivations in sandboxes on this machine, as many at once as it has cores. */
export function localRunner(options: LocalRunnerOptions): Runner {
  const { store } = options
  return {
    async realise(wanted, reporter) {
      const slots = semaphore(availableParallelism())
      const running = new Map<Digest, Promise<Output>>()
      const realise = (derivation: Derivation): Promise<Output> => {
        const digest = derivationDigest(derivation)
        const known = running.get(digest)
        if (known !== undefined) return known
        const promise = realiseOne(derivation)
        running.set(digest, promise)
        return promise
      }
      const realiseOne = async (derivation: Derivation): Promise<Output> => {
        const found = store.output(derivationDigest(derivation))
        if (found !== undefined) {
          reporter.step(derivation.name).done('reused')
          return found
        }
        const toolchain = await toolchainOnce(derivation)
        await Promise.all(dependencies(derivation).map(realise))
        return slots(() => execute(derivation, toolchain, options, reporter))
      }
      const toolchains = new Map<string, Promise<string>>()
      const toolchainOnce = ({ toolchain }: Derivation): Promise<string> => {
        const made = toolchains.get(toolchain.name) ?? makeToolchain(toolchain, options, reporter)
        toolchains.set(toolchain.name, made)
        return made
      }
      // Everything that will be read is fetched at once: a mirror is slow to begin and fast to go on.
      const missing = missingPackages(wanted, store)
      await options.fetch(missing)
      const outputs = await Promise.all(
        wanted.map(async (each) => [derivationDigest(each), await realise(each)] as const),
      )
      return new Map(outputs)
    },
  }
}

async function makeToolchain(
  toolchain: Derivation['toolchain'],
  options: LocalRunnerOptions,
  reporter: Reporter,
): Promise<string> {
  await options.store.scratch('probe', (directory) => checkSandbox(directory))
  return toolchainDirectory(toolchain, options.store, options.fetch, reporter)
}

/** Locked files that the derivations which must run will read; those whose output is in the store are not entered. */
function missingPackages(wanted: readonly Derivation[], store: Store): LockedPackage[] {
  const packages = new Map<Digest, LockedPackage>()
  const seen = new Set<Digest>()
  const visit = (derivation: Derivation) => {
    const digest = derivationDigest(derivation)
    if (seen.has(digest) || store.output(digest) !== undefined) return
    seen.add(digest)
    for (const input of Object.values(derivation.inputs)) {
      if ('locked' in input) packages.set(input.locked.sha256, input.locked)
    }
    for (const item of derivation.toolchain.packages) packages.set(item.sha256, item)
    dependencies(derivation).forEach(visit)
  }
  wanted.forEach(visit)
  return [...packages.values()].filter((item) => !store.has(item.sha256, item.size))
}

async function execute(
  derivation: Derivation,
  toolchain: string,
  { store, signal }: LocalRunnerOptions,
  reporter: Reporter,
): Promise<Output> {
  const digest = derivationDigest(derivation)
  const step = reporter.step(derivation.name)
  const log = join(store.root, 'logs', `${digest}.log`)
  await mkdir(dirname(log), { recursive: true })
  try {
    const output = await store.scratch(derivation.name.replaceAll('/', '-'), async (scratch) => {
      const place = { inputs: join(scratch, 'in'), output: join(scratch, 'out'), work: join(scratch, 'work') }
      for (const directory of Object.values(place)) await mkdir(directory)
      await layInputs(derivation, place.inputs, store)
      const { command, env, privilege } = derivation
      const finished = await runSandboxed({ ...place, toolchain, command, env, privilege, log, signal })
      if (finished.exitCode !== 0) throw await derivationFailed(derivation, finished.exitCode, log)
      return collect(place.output, store)
    })
    await store.record(digest, output)
    step.done('built')
    return output
  } catch (error) {
    step.failed()
    throw error
  }
}

/** Hard links, shown read-only: inputs cost nothing, and a command cannot change the store through them. */
async function layInputs(derivation: Derivation, directory: string, store: Store): Promise<void> {
  const made = new Set<string>()
  for (const [path, input] of Object.entries(derivation.inputs)) {
    const target = join(directory, path)
    if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true })
    made.add(dirname(target))
    const object = await inputObject(input, store)
    if ((await digestFile(store.path(object))) !== object) throw damagedInput(derivation, path, store.path(object))
    await link(store.path(object), target)
  }
}

function damagedInput({ name }: Derivation, path: string, object: string): UserError {
  return new UserError('store', `input '${path}' of derivation '${name}' is damaged in the store: '${object}'`, {
    hint: 'find and remove what is damaged with: npm run store:verify',
  })
}

async function inputObject(input: Input, store: Store): Promise<Digest> {
  if ('locked' in input) return input.locked.sha256
  if ('object' in input) return input.object
  if ('bytes' in input) return store.putBytes(input.bytes)
  const output = store.output(derivationDigest(input.from))
  const found = output?.[input.file]
  if (found === undefined) {
    throw new Error(
      `derivation '${input.from.name}' left no '${input.file}', it left: ${Object.keys(output ?? {}).join(', ')}`,
    )
  }
  return found.digest
}

async function collect(directory: string, store: Store): Promise<Output> {
  const output: Record<string, OutputFile> = {}
  for (const name of (await readdir(directory)).sort()) {
    const file = join(directory, name)
    const digest = await digestFile(file)
    output[name] = { digest, size: (await stat(file)).size }
    await store.adopt(file, digest)
  }
  return output
}

async function digestFile(file: string): Promise<Digest> {
  const digester = new Digester()
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) digester.update(piece as Uint8Array)
  return digester.digest()
}

async function derivationFailed(derivation: Derivation, status: number, log: string): Promise<UserError> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-12)
  const isFull = /ENOSPC|No space left on device/.test(lines.join('\n'))
  return new UserError(
    'derivation',
    `derivation '${derivation.name}' failed with status ${status}:\n  ${lines.join('\n  ')}`,
    {
      hint: `${isFull ? `make room where the store is: df -h '${dirname(dirname(log))}'; ` : ''}the whole log: ${log}`,
    },
  )
}

function semaphore(places: number): <T>(use: () => Promise<T>) => Promise<T> {
  let free = places
  const waiting: (() => void)[] = []
  return async (use) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await use()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
