import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '../../builder/build.ts'
import type { BuildContext, Network } from '../../builder/context.ts'
import { keepParts } from '../../builder/generations/keep.ts'
import { recordGeneration } from '../../builder/generations/record.ts'
import type { HostPlan } from '../../builder/host-plan.ts'
import { offlineFetch } from '../../builder/sources/offline.ts'
import { openStore } from '../../builder/store/directory.ts'
import { usingStore } from '../../builder/store/leases.ts'
import type { Fetch } from '../../builder/toolchain/toolchain.ts'
import { BOARDS } from '../../images/board.ts'
import { NO_NEEDS } from '../../images/certificates/need.ts'
import { type Derivation, toolchainDigest } from '../../images/derivation.ts'
import { digestOf } from '../../images/digest.ts'
import type { Image } from '../../images/image.ts'
import { MIB } from '../../images/layout.ts'
import { type Lock, type LockedPackage, lockText, packageKey } from '../../images/lock.ts'
import { parseHostName, parseServiceName } from '../../images/names.ts'
import { deviceSources } from '../../overlays/device/manifest.ts'
import { debianAt } from './debian-at.ts'
import { debianLocks } from './debian-locks.ts'
import { derivation, lockedPackage } from './derivation.ts'
import { fakeRunner } from './fake-runner.ts'
import { listReporter } from './reporter.ts'

const NAMES = ['app', 'libc', 'node'] as const
const SETS = { 'base:arm64': 'libc', 'container/app:arm64': 'app', 'toolchain:amd64': 'node' } as const

/** The bytes of a package in a version. */
function deb(name: string, version: string): Buffer {
  return Buffer.from(`package ${name} ${version}`)
}

/** A lock in which every package has this version. */
export function smallLock(version: string): Lock {
  const locked = (name: string): LockedPackage => {
    const bytes = deb(name, version)
    const architecture = name === 'node' ? 'amd64' : 'arm64'
    return lockedPackage(name, { version, architecture, size: bytes.length, sha256: digestOf(bytes) })
  }
  const packages = NAMES.map(locked)
  const keyOf = (name: string) => packages.filter((each) => each.package === name).map(packageKey)
  const set = (name: string) => ({
    request: [name],
    essential: 'left-out' as const,
    assumed: [],
    packages: keyOf(name),
  })
  return {
    format: 1,
    time: 1_700_000_000 + Number.parseInt(version, 10),
    releases: {},
    sets: Object.fromEntries(Object.entries(SETS).map(([key, name]) => [key, set(name)])),
    packages: Object.fromEntries(packages.map((each) => [packageKey(each), each])),
  }
}

/** Derivations over the packages of a small lock. */
export function smallDerivations(lock: Lock) {
  const of = (name: string) => Object.values(lock.packages).filter((each) => each.package === name)
  return {
    made: (name: string, inputs: Derivation['inputs']): Derivation =>
      derivation({ name, inputs, toolchain: { name: 'build', architecture: 'amd64', packages: of('node') } }),
    debs: (name: string) => Object.fromEntries(of(name).map((each) => [`debs/${each.package}`, { locked: each }])),
  }
}

/** The plan of the host `tiny`. Its content depends on a lock and on one line of configuration. */
export type SmallPlan = (lock: Lock, line: string) => HostPlan

/** A small host of the platform `pi`. */
export const smallPiPlan: SmallPlan = (lock, line) => ({
  name: 'tiny',
  platform: 'pi',
  deviceSources: deviceSources(),
  requests: () => [],
  certificates: NO_NEEDS,
  secrets: [],
  image: () => smallImageOf(lock, line),
})

/** An image of three layers and two boot files. One layer has a program that another derivation makes. */
function smallImageOf(lock: Lock, line: string): Image {
  const { made, debs } = smallDerivations(lock)
  const tree = (text: string) => ({
    'tree.json': { bytes: JSON.stringify({ '/etc/app.conf': { kind: 'file', mode: 0o644, uid: 0, gid: 0, text } }) },
  })
  const base = made('base', debs('libc'))
  const program = made('native-blocks', { ...debs('libc'), 'main.c': { bytes: 'int main(void);' } })
  return {
    host: parseHostName('tiny'),
    board: BOARDS['raspberry-pi-5'],
    slotSize: 8 * MIB,
    serial: { time: lock.time, number: 1 },
    layers: [
      { name: 'base', derivation: base },
      {
        name: `container-${parseServiceName('app')}`,
        derivation: made('container-app', { ...debs('app'), ...tree(`${line} inside\n`) }),
      },
      { name: 'host', derivation: made('host', { ...tree(`${line}\n`), program: { from: program, file: 'program' } }) },
    ],
    bootFiles: { 'kernel_2712.img': { from: base, file: 'program' }, 'config.txt': { bytes: 'arm_64bit=1\n' } },
    sbom: made('sbom', { base: { from: base, file: 'program' } }),
    sshKeys: [],
    signingKeys: [],
    kernelArguments: ['ro'],
    versions: {},
  }
}

/**
 * A project in `directory` with one small host, its lock, a mirror with every version, and a store. Builds are real except
 * for the sandbox. A child process may use it, because it registers no hooks of the test runner.
 */
export async function smallLab(directory: string, project: string, plan: SmallPlan = smallPiPlan) {
  const store = await openStore(join(directory, 'store'))
  const lockFile = join(directory, 'debian.lock.json')
  const fetched: string[] = []
  const mirror: Fetch = async (packages) => {
    for (const { package: name, version, sha256, size } of packages) {
      if (store.has(sha256, size)) continue
      fetched.push(`${name} ${version}`)
      await store.putBytes(deb(name, version))
    }
  }
  const reporter = listReporter()
  const sources = [{ ...debianAt(), lockFile }]
  const context = (network: Network = 'online') => {
    const fetch = network === 'online' ? mirror : offlineFetch(store)
    const runner = fakeRunner(store, fetch)
    return {
      ...{
        env: { XDG_CONFIG_HOME: join(directory, 'config') },
        project,
        reporter,
        now: new Date('2026-11-25T08:00:00Z'),
      },
      ...{ signal: new AbortController().signal, store, sources, fetch, runner, builder: 'amd64' as const },
      toolchain: {
        set: { name: 'toolchain', request: ['node'], essential: 'left-out', assumed: [] },
        architecture: 'amd64',
      },
    } satisfies BuildContext
  }
  const moveLock = (version: string) => writeFileSync(lockFile, lockText(smallLock(version)))
  return {
    ...{ store, fetched, reporter, context, moveLock, lockFile },
    output: join(directory, 'out'),
    /** Builds with the lock of that version. */
    build: async (version: string, line = 'one', network: Network = 'online', output = join(directory, 'out')) => {
      moveLock(version)
      return build(context(network), { plan: plan(smallLock(version), line), frozen: 'frozen', output })
    },
    /** Builds without output files, because writing them takes most of a second. */
    make: (version: string, line: string, host = 'tiny', use = { root: store.root, what: 'make' }) =>
      usingStore(use, async () => {
        const { runner } = context()
        const [image, lock] = [smallImageOf(smallLock(version), line), smallLock(version)]
        const wanted = [...image.layers.map((each) => each.derivation), image.sbom]
        const outputs = await runner.realise(wanted, reporter)
        const manifest = `${version} ${line}\n`
        const assembled = {
          ...{
            root: digestOf(manifest),
            size: 0,
            outputs: 'written' as const,
            texts: { 'manifest.json': manifest },
          },
          ...{ boot: { 'cmdline.txt': { text: `ro ${manifest}` } }, facts: [] },
        }
        const parts = () =>
          keepParts(store, { platform: { name: 'pi' }, image, lock: debianLocks(lock), outputs, assembled })
        const identity = { root: assembled.root, manifest: digestOf(manifest) }
        const built = new Date(1_700_000_000_000).toISOString()
        return recordGeneration(store.root, host, identity, async () => ({
          built,
          revision: null,
          parts: await parts(),
        }))
      }),
    /** The directory of an unpacked toolchain, with only the files that `gc` reads. */
    unpackToolchain: (version: string) => {
      const packages = Object.values(smallLock(version).packages).filter((each) => each.package === 'node')
      const name = `build-1-${toolchainDigest({ name: 'build', architecture: 'amd64', packages })}`
      mkdirSync(join(store.root, 'toolchains', name, 'usr'), { recursive: true })
      writeFileSync(join(store.root, 'toolchains', name, 'usr/program'), 'program')
      writeFileSync(
        join(store.root, 'toolchains', `${name}.packages`),
        packages.map((each) => `${each.sha256}\n`).join(''),
      )
      return name
    },
  }
}
