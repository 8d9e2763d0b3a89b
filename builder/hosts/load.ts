import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UserError } from '../../errors.ts'
import { digestOf } from '../../images/digest.ts'
import { nearest } from '../../images/nearest.ts'

/** Files in `hosts/` that describe no machine. */
const NOT_HOSTS = new Set(['host.ts', 'check.ts', 'image-of.ts', 'schema.ts', 'sizes.ts'])

export function hostNames(project: string): string[] {
  return readdirSync(join(project, 'hosts'))
    .filter((name) => name.endsWith('.ts') && !NOT_HOSTS.has(name))
    .map((name) => name.slice(0, -3))
    .sort()
}

/**
 * The host that `hosts/NAME.ts` exports. The file is compiled once for its content and what it imports; a start that
 * finds it compiled costs a few reads.
 */
export async function loadHost(project: string, name: string): Promise<{ readonly name: string }> {
  const names = hostNames(project)
  if (!names.includes(name)) {
    const meant = nearest(name, names)
    throw new UserError('host', `no host '${name}'; hosts are: ${names.join(', ')}`, {
      hint: meant === undefined ? `add hosts/${name}.ts, for example from hosts/${names[0]}.ts` : `did you mean '${meant}'?`,
    })
  }
  const compiled = join(project, 'dist/hosts', `${name}.mjs`)
  if (!isFresh(project, compiled)) await compile(project, name, compiled)
  const exported = (await import(`${pathToFileURL(compiled)}?${digestOf(readFileSync(compiled))}`)) as Record<string, { name?: string }>
  const found = Object.values(exported).find((each) => each?.name === name)
  if (found === undefined) {
    throw new UserError('host', `hosts/${name}.ts exports no host with the name '${name}'`, {
      hint: `it ends in: export const ${name.replaceAll('-', '_')} = host({ name: '${name}', … })`,
    })
  }
  return found as { name: string }
}

interface CompiledFrom {
  /** Path from the project -> digest when it was compiled. */
  readonly sources: Readonly<Record<string, string>>
}

function isFresh(project: string, compiled: string): boolean {
  if (!existsSync(compiled) || !existsSync(`${compiled}.json`)) return false
  const { sources } = JSON.parse(readFileSync(`${compiled}.json`, 'utf8')) as CompiledFrom
  return Object.entries(sources).every(([path, digest]) => existsSync(join(project, path)) && digestOf(readFileSync(join(project, path))) === digest)
}

async function compile(project: string, name: string, compiled: string): Promise<void> {
  const { build } = await import('esbuild')
  const result = await build({
    absWorkingDir: project,
    entryPoints: [`hosts/${name}.ts`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    plugins: [{ name: 'shared', setup: (b) => void b.onResolve({ filter: /^\.\/host\.ts$/ }, () => ({ path: '../host.mjs', external: true })) }],
  }).catch((error: { errors?: { text: string; location?: { file: string; line: number; lineText: string } }[] }) => {
    const [first] = error.errors ?? []
    const at = first?.location === undefined ? `hosts/${name}.ts` : `${first.location.file}:${first.location.line}`
    throw new UserError('host', `cannot compile ${at}: ${first?.text ?? String(error)}`, { hint: first?.location?.lineText.trim() ?? 'npm run types says more' })
  })
  const sources = Object.fromEntries(Object.keys(result.metafile.inputs).map((path) => [path, digestOf(readFileSync(join(project, path)))]))
  await mkdir(join(project, 'dist/hosts'), { recursive: true })
  await writeAtomically(compiled, result.outputFiles[0]?.text ?? '')
  await writeAtomically(`${compiled}.json`, JSON.stringify({ sources }))
}

async function writeAtomically(file: string, text: string): Promise<void> {
  await writeFile(`${file}.${process.pid}`, text)
  await rename(`${file}.${process.pid}`, file)
}
