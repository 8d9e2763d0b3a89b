import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UserError } from '../../errors.ts'
import { nearest } from '../../images/nearest.ts'
import type { Host } from '../../overlays/host-facts.ts'
import type { LabFacts } from '../../overlays/lab-facts.ts'
import type { HostFiles } from '../command.ts'
import { compiledHost } from './compile.ts'
import { withLine } from './with-line.ts'

/** The file names in `hosts/` that export a host. Other files contain values that host files import. */
const EXPORTS_HOST = /^export const \w+.*= host\(/m

/** The name of the lab file, `hosts/lab.ts`. */
const LAB = 'lab'

/** The host files and the lab file of a project. */
export function hostFiles(project: string): HostFiles {
  // A command loads several hosts, and they share one lab.
  let facts: Promise<LabFacts> | undefined
  const lab = () => {
    facts ??= loadLab(project)
    return facts
  }
  return {
    names: () => hostNames(project),
    load: async (name) => hostIn(project, await loadHost(project, name), await lab()),
    lab,
  }
}

async function hostIn(project: string, declared: { readonly name: string }, facts: LabFacts): Promise<Host> {
  const { hostInLab } = await import('../../hosts/schema/plan.ts')
  try {
    // The cast is safe: only `host()` returns such values, and compiled host files use the program's own copy of `host()`.
    return hostInLab(declared as Parameters<typeof hostInLab>[0], facts)
  } catch (error) {
    throw error instanceof UserError ? withLine(error, project) : error
  }
}

/** The lab that `hosts/lab.ts` exports. `hosts/schema/lab-file.ts` checks its values. Without the file, the lab has defaults. */
export async function loadLab(project: string): Promise<LabFacts> {
  const { DEFAULT_FACTS } = await import('../../overlays/lab-facts.ts')
  if (!existsSync(sourceOf(project, LAB))) return DEFAULT_FACTS
  const { lab } = await evaluate(project, LAB, await compiledHost(project, LAB))
  // The cast is safe: only `defineLab()` returns a value with these fields.
  if (hasKeys(lab, DEFAULT_FACTS)) return lab as LabFacts
  throw new UserError('host', 'hosts/lab.ts exports no lab', {
    hint: 'end the file with: export const lab = defineLab({ … }). A host cannot have the name lab',
  })
}

function hasKeys(value: unknown, of: object): boolean {
  return typeof value === 'object' && value !== null && Object.keys(of).every((key) => key in value)
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
  const files = readdirSync(join(project, 'hosts')).filter((name) => name.endsWith('.ts'))
  const names = files.map((name) => name.slice(0, -'.ts'.length)).filter((name) => name !== LAB)
  return names.sort()
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
    const message = error.message.replace(/^hosts\/\?\.ts/, () => file)
    const { hint, cause } = error
    return withLine(new UserError(error.code, message, hint === undefined ? { cause } : { hint, cause }), project)
  }
  if (!(error instanceof Error)) return error
  const line = error.stack?.split(`${file}:`)[1]?.match(/^\d+/)?.[0]
  const at = line === undefined ? file : `${file}:${line}`
  return new UserError('host', `${at}: ${error.message}`, { hint: 'check all host files: npm run types', cause: error })
}
