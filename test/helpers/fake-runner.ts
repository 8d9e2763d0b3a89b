import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runner } from '../../builder/runners/runner.ts'
import type { Store } from '../../builder/store/store.ts'
import type { Fetch } from '../../builder/toolchain/toolchain.ts'
import { type Derivation, dependencies, derivationDigest, type Input, type Output } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../../images/image.ts'
import { BLOCK } from '../../images/layout.ts'
import { REST_FILE } from '../../images/sbom/document.ts'
import { leavesOf } from '../../images/slot/verity.ts'

/**
 * A runner without a sandbox. Each output is a layer, its leaves and a file `program` that lists the inputs and their
 * digests. Like a real runner, it fetches missing packages. It runs each derivation once, and only if the store lacks the
 * output. With `inputs: 'whole'`, a layer also contains every byte of its inputs.
 */
export function fakeRunner(
  store: Store,
  fetch: Fetch,
  { inputs: contained = 'digests' }: { readonly inputs?: 'digests' | 'whole' } = {},
): Runner & { readonly ran: string[] } {
  const ran: string[] = []
  const realise = async (derivation: Derivation): Promise<Output> => {
    const digest = derivationDigest(derivation)
    const found = store.output(digest)
    if (found !== undefined) return found
    for (const each of dependencies(derivation)) await realise(each)
    const inputs = Object.values(derivation.inputs)
    await fetch([
      ...derivation.toolchain.packages,
      ...inputs.flatMap((each) => ('locked' in each ? [each.locked] : [])),
    ])
    ran.push(derivation.name)
    const read = await Promise.all(
      Object.entries(derivation.inputs).map(([path, input]) => readInput(store, path, input, contained)),
    )
    const output = await leave(store, `${derivation.name}\n${read.sort().join('\n')}`)
    await store.record(digest, output)
    return output
  }
  return {
    ran,
    realise: async (wanted) => {
      const outputs = new Map<Digest, Output>()
      for (const each of wanted) outputs.set(derivationDigest(each), await realise(each))
      return outputs
    },
  }
}

async function readInput(store: Store, path: string, input: Input, contained: 'digests' | 'whole'): Promise<string> {
  const bytes = readFileSync(store.path(await objectOf(store, input)))
  return `${path} ${digestOf(bytes)}${contained === 'whole' ? `\n${bytes.toString('latin1')}` : ''}`
}

async function objectOf(store: Store, input: Input): Promise<Digest> {
  if ('bytes' in input) return store.putBytes(input.bytes)
  if ('object' in input) return input.object
  if ('locked' in input) return input.locked.sha256
  const found = store.output(derivationDigest(input.from))?.[input.file]
  if (found === undefined) throw new Error(`'${input.from.name}' left no '${input.file}'`)
  return found.digest
}

async function leave(store: Store, text: string): Promise<Output> {
  const bytes = Buffer.from(text, 'latin1')
  const layer = Buffer.alloc(Math.max(2, Math.ceil(bytes.length / BLOCK)) * BLOCK, bytes)
  const files = {
    [LAYER_FILE]: layer,
    [LEAVES_FILE]: leavesOf(layer),
    program: Buffer.from(text),
    [REST_FILE]: Buffer.from(text),
  }
  return store.scratch('fake', async (scratch) => {
    const output: Record<string, Output[string]> = {}
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(scratch, name), bytes)
      output[name] = { digest: digestOf(bytes), size: bytes.length }
      await store.adopt(join(scratch, name), digestOf(bytes))
    }
    return output
  })
}
