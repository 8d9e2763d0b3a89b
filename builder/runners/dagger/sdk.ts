import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Client, Container, connection, Directory, dag, Platform } from '@dagger.io/dagger'
import { replaceFile } from '../../../lib/atomic-file.ts'
import { DAGGER_VERSION } from './version.ts'

export type SdkClient = Client
export type SdkContainer = Container
export type SdkDirectory = Directory
export type SdkPlatform = Platform

export interface Sdk {
  readonly connection: typeof connection
  readonly dag: typeof dag
}

/** The version of the compilation, a part of the file name. Raise it when the compilation changes. */
const COMPILING = 1

/**
 * Loads the SDK, which hangar compiles to one file at first use. The published SDK loads a thousand files, and the
 * TypeScript compiler for Dagger modules, which hangar does not use. It takes three times as long and twice the memory.
 */
export async function loadSdk(): Promise<Sdk> {
  const compiled = await compiledSdk().catch(() => undefined)
  // Uses the SDK as published if the package directory is read-only.
  return compiled === undefined ? import('@dagger.io/dagger') : import(pathToFileURL(compiled).href)
}

async function compiledSdk(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@dagger.io/dagger')
  const packages = entry.slice(0, entry.lastIndexOf(`${sep}@dagger.io${sep}`))
  // The compiled file is in node_modules, so that `npm ci` deletes it.
  const file = join(packages, '.cache/hangar', `dagger-sdk-${DAGGER_VERSION}-${COMPILING}.mjs`)
  if (!existsSync(file)) await compile(entry, file)
  return file
}

async function compile(entry: string, file: string): Promise<void> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    stdin: { contents: `export { connection, dag } from ${JSON.stringify(entry)}`, resolveDir: dirname(entry) },
    bundle: true,
    write: false,
    outfile: file,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [withoutModules],
    banner: { js: REQUIRE },
  })
  await mkdir(dirname(file), { recursive: true })
  await replaceFile(file, outputFiles[0]?.text ?? '')
}

/** Defines `require` in the compiled file, because CommonJS packages need it. */
const REQUIRE =
  "import { createRequire as hangarRequire } from 'node:module'; const require = hangarRequire(import.meta.url);"

/** Leaves out the code for Dagger modules, which run in an engine. */
const withoutModules = {
  name: 'without modules',
  setup({ onResolve, onLoad }: import('esbuild').PluginBuild) {
    onResolve({ filter: /^\.\/module\/(decorators|entrypoint\/entrypoint)\.js$/ }, ({ path }) => ({
      path,
      namespace: 'module',
    }))
    onLoad({ filter: /.*/, namespace: 'module' }, () => ({ contents: 'export const entrypoint = undefined' }))
  },
}
