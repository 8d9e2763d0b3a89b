import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineArchitecture } from '../../builder/context.ts'
import { MULTIARCH } from '../../images/architecture.ts'
import { toolchainDigest } from '../../images/derivation.ts'
import { lockedPackages, parseLock } from '../../images/lock.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { PROJECT } from './toolchain.ts'

export interface FakeToolchain {
  readonly directory: string
  readonly libraries: string
  readonly loader: string
  /** Replaces the loader, and so every program. The script gets `--library-path`, the libraries, the program and its arguments. */
  script(body: string): void
}

/** An unpacked set of the lock in a store, with a shell script as the loader that starts each program. */
export function fakeToolchain(store: string, set: PackageSet, programs: readonly string[]): FakeToolchain {
  const architecture = machineArchitecture()
  const lockFile = join(PROJECT, 'images/debian.lock.json')
  const packages = lockedPackages(parseLock(readFileSync(lockFile, 'utf8'), lockFile), { set, architecture })
  if (packages === undefined) throw new Error(`the lock has no set '${set.name}'`)
  const digest = toolchainDigest({ name: set.name, architecture, packages })
  const directory = join(store, 'toolchains', `${set.name}-1-${digest}`)
  const libraries = join(directory, 'usr/lib', MULTIARCH[architecture])
  const loader = join(libraries, architecture === 'amd64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1')
  for (const path of [libraries, join(directory, 'usr/bin')]) mkdirSync(path, { recursive: true })
  for (const name of programs) writeFileSync(join(directory, 'usr/bin', name), '', { mode: 0o755 })
  const script = (body: string) => {
    writeFileSync(loader, `#!/bin/sh\n${body}\n`)
    chmodSync(loader, 0o755)
  }
  script('exit 0')
  return { directory, libraries, loader, script }
}
