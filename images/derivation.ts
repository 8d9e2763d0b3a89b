import type { Architecture } from './architecture.ts'
import { canonicalJson } from './canonical.ts'
import { type Digest, digestOf } from './digest.ts'
import type { LockedFile } from './locked-file.ts'

/** An input of a derivation: a locked package, literal bytes, an object of the store, or one output file of another derivation. */
export type Input =
  | { readonly locked: LockedFile }
  | { readonly bytes: string }
  | { readonly object: Digest }
  | { readonly from: Derivation; readonly file: string }

/** Capabilities inside the sandbox: Docker's default set, or every capability that the builder has. */
export type Privilege = 'default' | 'all'

/**
 * Everything that determines the bytes of an output. The command runs in the toolchain's root, without network, in the
 * empty working directory `/build`. Inputs are read-only below `/in`. The output is the regular files in `/out`.
 */
export interface Derivation {
  readonly name: string
  /** The architecture that the command runs on. The output must not depend on it. */
  readonly system: Architecture
  /** The packages that form the root file system of the command. */
  readonly toolchain: Toolchain
  /** The inputs of the command: path below `/in` -> input. */
  readonly inputs: Readonly<Record<string, Input>>
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly privilege: Privilege
}

/** Programs for derivations: Debian packages that hangar unpacks in this order, without running maintainer scripts. */
export interface Toolchain {
  readonly name: string
  readonly architecture: Architecture
  readonly packages: readonly LockedFile[]
}

/** The files that a derivation wrote to `/out`: file name -> digest and size in bytes. */
export type Output = Readonly<Record<string, OutputFile>>
export interface OutputFile {
  readonly digest: Digest
  readonly size: number
}

const memo = new WeakMap<Derivation, Digest>()

/** The key of a derivation's output in the store. */
export function derivationDigest(derivation: Derivation): Digest {
  const known = memo.get(derivation)
  if (known !== undefined) return known
  const { name, system, toolchain, inputs, command, env, privilege } = derivation
  const digest = digestOf(
    canonicalJson({
      format: 1,
      name,
      system,
      toolchain: toolchainDigest(toolchain),
      inputs: Object.fromEntries(Object.entries(inputs).map(([path, input]) => [path, inputName(input)])),
      command,
      env: { ...env },
      privilege,
    }),
  )
  memo.set(derivation, digest)
  return digest
}

export function toolchainDigest(toolchain: Toolchain): Digest {
  return digestOf(
    canonicalJson({
      format: 1,
      architecture: toolchain.architecture,
      packages: toolchain.packages.map(({ sha256 }) => sha256),
    }),
  )
}

/** The derivations among the inputs, without duplicates. */
export function dependencies(derivation: Derivation): Derivation[] {
  const found = new Map<Digest, Derivation>()
  for (const input of Object.values(derivation.inputs)) {
    if ('from' in input) found.set(derivationDigest(input.from), input.from)
  }
  return [...found.values()]
}

function inputName(input: Input): string {
  if ('from' in input) return `${derivationDigest(input.from)}/${input.file}`
  return 'locked' in input ? input.locked.sha256 : 'bytes' in input ? digestOf(input.bytes) : input.object
}
