import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Client, Container, Context, Directory, GraphQLClient, Platform } from '@dagger.io/dagger'
import { replaceFile } from '../../../lib/atomic-file.ts'
import { DAGGER_VERSION } from './version.ts'

export type SdkClient = Client
export type SdkContainer = Container
export type SdkDirectory = Directory
export type SdkPlatform = Platform

/** The parts of the SDK that hangar uses. The SDK's `connection` is not among them: it leaves its CLI running. */
export interface Sdk {
  readonly Client: typeof Client
  readonly Context: typeof Context
  readonly GraphQLClient: typeof GraphQLClient
  readonly Bin: new (file: undefined, version: string) => { downloadCLI(): Promise<string> }
}

/** The version of the compilation, a part of the file name. Raise it when the compilation changes. */
const COMPILING = 2

/** A client of the session at this URL. It sends every query with `fetch`. */
export async function sdkClient(url: string, token: string, send: typeof fetch): Promise<SdkClient> {
  const { Client, Context, GraphQLClient } = await loadSdk()
  const headers = { authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}` }
  const client = new GraphQLClient(url, { headers, fetch: send })
  // The SDK does not export the class of this object, of which it calls one function.
  const connection = { getGQLClient: () => client } as unknown as ConstructorParameters<typeof Context>[1]
  return new Client(new Context([], connection))
}

/** Downloads Dagger's CLI into the cache of the SDK, and returns its path. */
export async function downloadCli(): Promise<string> {
  const { Bin } = await loadSdk()
  return new Bin(undefined, DAGGER_VERSION).downloadCLI()
}

/**
 * Loads the SDK, which hangar compiles to one file at first use. The published SDK loads a thousand files, and the
 * TypeScript compiler for Dagger modules, which hangar does not use. It takes three times as long and twice the memory.
 */
export async function loadSdk(): Promise<Sdk> {
  const compiled = await compiledSdk().catch(() => undefined)
  if (compiled !== undefined) return import(pathToFileURL(compiled).href)
  // Uses the SDK as published if the package directory is read-only.
  const { Bin } = await import(pathToFileURL(binOf(entryOfSdk())).href)
  return { ...(await import('@dagger.io/dagger')), Bin }
}

function entryOfSdk(): string {
  return createRequire(import.meta.url).resolve('@dagger.io/dagger')
}

/** The file with the download of the CLI, which the package does not export. */
function binOf(entry: string): string {
  return join(dirname(entry), 'provisioning/bin.js')
}

async function compiledSdk(): Promise<string> {
  const entry = entryOfSdk()
  const packages = entry.slice(0, entry.lastIndexOf(`${sep}@dagger.io${sep}`))
  // The compiled file is in node_modules, so that `npm ci` deletes it.
  const file = join(packages, '.cache/hangar', `dagger-sdk-${DAGGER_VERSION}-${COMPILING}.mjs`)
  if (!existsSync(file)) await compile(entry, file)
  return file
}

async function compile(entry: string, file: string): Promise<void> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    stdin: { contents: exportsOf(entry), resolveDir: dirname(entry) },
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

function exportsOf(entry: string): string {
  const [sdk, bin] = [entry, binOf(entry)].map((file) => JSON.stringify(file))
  return `export { Client, Context, GraphQLClient } from ${sdk}; export { Bin } from ${bin}`
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
