import type { Digest } from '../digest.ts'
import { isNativeModule, isUsable, machineOf } from './binary.ts'
import type { PackageFile } from './tarball.ts'

/** What hangar knows about a tarball that `package-lock.json` does not state. */
export interface TarballFacts {
  readonly sha256: Digest
  /** The size in bytes. */
  readonly size: number
  readonly license?: string | undefined
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc: readonly string[]
  /** The native modules in the tarball. `foreign`: there are some for Linux, and none of them runs on arm64 with glibc. */
  readonly modules: 'none' | 'usable' | 'foreign'
  /** How npm would build the package after it unpacked it. hangar runs no such script. */
  readonly build: 'none' | 'compiler' | 'script'
}

/** Reads the facts about a package from its files. */
export function contentFacts(files: readonly PackageFile[]): Omit<TarballFacts, 'sha256' | 'size'> {
  const manifest = manifestIn(files)
  const list = (name: string) => strings(manifest[name])
  return {
    ...(typeof manifest.license === 'string' ? { license: manifest.license } : {}),
    ...{ os: list('os'), cpu: list('cpu'), libc: list('libc') },
    modules: modulesIn(files),
    build: buildOf(files, manifest),
  }
}

function manifestIn(files: readonly PackageFile[]): Readonly<Record<string, unknown>> {
  const file = files.find(({ path }) => path === 'package.json')
  try {
    const json: unknown = JSON.parse(
      Buffer.from(file?.bytes ?? [])
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
    return json !== null && typeof json === 'object' ? (json as Record<string, unknown>) : {}
  } catch {
    // npm needs only package-lock.json to install a package, so an unreadable file here is the package's own problem.
    return {}
  }
}

function strings(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
}

function modulesIn(files: readonly PackageFile[]): TarballFacts['modules'] {
  const modules = files.flatMap(({ path, bytes }) =>
    isNativeModule(path) ? [{ path, machine: machineOf(bytes) }] : [],
  )
  if (modules.some(({ path, machine }) => isUsable(path, machine))) return 'usable'
  return modules.some(({ machine }) => machine !== 'other') ? 'foreign' : 'none'
}

/** Programs that compile a native module, or download one from a server that no integrity covers. */
const BUILDERS = /\b(node-gyp|node-gyp-build|prebuild-install|node-pre-gyp|cmake-js|neon|napi|cargo|make)\b/

function buildOf(files: readonly PackageFile[], manifest: Readonly<Record<string, unknown>>): TarballFacts['build'] {
  const { scripts } = manifest
  const all = scripts !== null && typeof scripts === 'object' ? (scripts as Record<string, unknown>) : {}
  const given = ['preinstall', 'install', 'postinstall'].flatMap((name) =>
    strings(Object.hasOwn(all, name) ? all[name] : []),
  )
  // npm runs node-gyp for a package with a binding.gyp and without scripts of its own.
  const isImplied = manifest.gypfile !== false && files.some(({ path }) => path === 'binding.gyp')
  if (isImplied || given.some((script) => BUILDERS.test(script))) return 'compiler'
  return given.length > 0 ? 'script' : 'none'
}
