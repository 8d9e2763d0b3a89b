import type { Architecture } from './architecture.ts'
import { canonicalJson } from './canonical.ts'
import { type Digest, digestOf } from './digest.ts'
import type { LockedFile } from './locked-file.ts'

/** What a derivation reads: a locked file, bytes that we made, or one file of what another derivation makes. */
export type Input =
  | { readonly locked: LockedFile }
  | { readonly bytes: string }
  | { readonly object: Digest }
  | { readonly from: Derivation; readonly file: string }

/** Capabilities inside the sandbox: Docker's default, or all that the builder itself has. */
export type Privilege = 'default' | 'all'

/**
 * Everything that decides an output's bytes. The command runs in the toolchain's root with no network, the inputs
 * read-only below `/in`, an empty `/build` as working directory, and leaves its output as regular files directly in
 * `/out`.
 */
export interface Derivation {
  readonly name: string
  /** The machine that the command runs on; it must not show in the output. */
  readonly system: Architecture
  /** The locked packages that make the root in which the command runs. */
  readonly toolchain: Toolchain
  /** Path below `/in` -> what is there. */
  readonly inputs: Readonly<Record<string, Input>>
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly privilege: Privilege
}

/** Programs for derivations: Debian packages, only unpacked, in the order given. */
export interface Toolchain {
  readonly name: string
  readonly architecture: Architecture
  readonly packages: readonly LockedFile[]
}

/** What a derivation left in `/out`: file name -> digest and size in bytes. */
export type Output = Readonly<Record<string, OutputFile>>
export interface OutputFile {
  readonly digest: Digest
  readonly size: number
}

const memo = new WeakMap<Derivation, Digest>()

/** The name under which the store finds a derivation's output. */
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

/** Inputs that are themselves derivations, each once. */
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
