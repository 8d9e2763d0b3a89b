import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UserError } from '../../errors.ts'
import { nearest } from '../../images/nearest.ts'
import type { Host } from '../../overlays/host-facts.ts'
import type { HostFiles } from '../command.ts'
import { compiledHost } from './compile.ts'
import { lineOf } from './line-of.ts'

/** The file names in `hosts/` that export a host. Other files contain values that host files import. */
const EXPORTS_HOST = /^export const \w+.*= host\(/m

/** The host files of a project. */
export function hostFiles(project: string): HostFiles {
  return {
    names: () => hostNames(project),
    // The cast is safe: only `host()` returns such values, and compiled host files use the program's own copy of
    // `host()`.
    load: async (name) => (await loadHost(project, name)) as Host,
  }
}

/** Names of the hosts that have a file in `hosts/`, sorted. */
export function hostNames(project: string): string[] {
  return fileNames(project).filter((name) => EXPORTS_HOST.test(readFileSync(sourceOf(project, name), 'utf8')))
}

/** The host that `hosts/NAME.ts` exports. `hosts/schema/host.ts` checks its values. */
export async function loadHost(project: string, name: string): Promise<{ readonly name: string }> {
  if (!fileNames(project).includes(name)) throw unknownHost(name, hostNames(project))
  const exported = await evaluate(project, name, await compiledHost(project, name))
  const found = Object.values(exported).find((each) => isNamed(each, name))
  if (found !== undefined) return found as { name: string }
  throw new UserError('host', `hosts/${name}.ts exports no host with the name '${name}'`, {
    hint: `end the file with: export const ${name.replaceAll('-', '_')} = host({ name: '${name}', … })`,
  })
}

function fileNames(project: string): string[] {
  const names = readdirSync(join(project, 'hosts')).filter((name) => name.endsWith('.ts'))
  return names.map((name) => name.slice(0, -'.ts'.length)).sort()
}

function sourceOf(project: string, name: string): string {
  return join(project, 'hosts', `${name}.ts`)
}

function unknownHost(name: string, known: readonly string[]): UserError {
  const meant = nearest(name, known)
  return new UserError('host', `no host '${name}'; hosts are: ${known.join(', ')}`, {
    hint:
      meant === undefined
        ? `to add the host, copy hosts/${known[0]}.ts to hosts/${name}.ts and change the copy`
        : `did you mean '${meant}'?`,
  })
}

function isNamed(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && value.name === name
}

/** The number of host files that run now. Commands load several at the same time. */
let evaluating = 0

/** Runs the compiled file; errors name the line in the host file. */
async function evaluate(project: string, name: string, compiled: string): Promise<Record<string, unknown>> {
  // Source maps make stacks name lines of the source. They slow down imports, so they are on only while host files run.
  evaluating += 1
  process.setSourceMapsEnabled(true)
  try {
    return await import(pathToFileURL(compiled).href)
  } catch (error) {
    throw located(error, project, name)
  } finally {
    evaluating -= 1
    if (evaluating === 0) process.setSourceMapsEnabled(false)
  }
}

function located(error: unknown, project: string, name: string): unknown {
  const file = `hosts/${name}.ts`
  if (error instanceof UserError) {
    // `hosts/?.ts` is a host file without a valid name.
    const named = error.message.replace(/^hosts\/\?\.ts/, () => file)
    if (!named.startsWith(file)) return error
    const { hint, cause } = error
    const line = lineOf(readFileSync(sourceOf(project, name), 'utf8'), pathOf(cause))
    const message = line === undefined ? named : `${file}:${line}${named.slice(file.length)}`
    return new UserError(error.code, message, hint === undefined ? { cause } : { hint, cause })
  }
  if (!(error instanceof Error)) return error
  const line = error.stack?.split(`${file}:`)[1]?.match(/^\d+/)?.[0]
  const at = line === undefined ? file : `${file}:${line}`
  return new UserError('host', `${at}: ${error.message}`, { hint: 'check all host files: npm run types', cause: error })
}

/** The path of the key that the schema refused; empty if the error names no key. */
function pathOf(cause: unknown): readonly string[] {
  const { path, keys } = (cause ?? {}) as { path?: readonly PropertyKey[]; keys?: readonly string[] }
  return [...(path ?? []).map(String), ...(keys ?? []).slice(0, 1)]
}
