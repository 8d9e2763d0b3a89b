import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { canonicalJson } from '../../images/canonical.ts'
import { type Digest, digestOf, short } from '../../images/digest.ts'
import { makeDirectory } from '../../lib/make-directory.ts'

/** The sources of a compiled host file. */
interface CompiledFrom {
  /** The name of the compiled file in `dist/hosts`. */
  readonly file: string
  /** The digests of the sources: path relative to the project -> digest. */
  readonly sources: Readonly<{ [path: string]: Digest }>
}

/**
 * Compiles `hosts/NAME.ts` if its content or an import has changed, and returns the path of the compiled file. The
 * compiled file imports `host()` and `defineLab()` from the program's own bundle, so that the program loads the schemas
 * once.
 */
export async function compiledHost(project: string, name: string): Promise<string> {
  const recordFile = join(project, 'dist/hosts', `${name}.json`)
  const record = readRecord(recordFile)
  if (record !== undefined && isCurrent(project, record)) return join(dirname(recordFile), record.file)
  const { text, inputs } = await compile(project, name)
  const file = `${name}-${short(digestOf(text))}.mjs`
  publish(join(dirname(recordFile), file), text)
  // Writes the record last, so that a record on disk always names a complete compiled file.
  publish(recordFile, canonicalJson({ file, sources: inputs }))
  return join(dirname(recordFile), file)
}

function readRecord(path: string): CompiledFrom | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function isCurrent(project: string, { file, sources }: CompiledFrom): boolean {
  const isSame = ([path, digest]: readonly [string, Digest]) => digestOf(readFileSync(join(project, path))) === digest
  try {
    readFileSync(join(project, 'dist/hosts', file))
    return Object.entries(sources).every(isSame)
  } catch {
    return false
  }
}

async function compile(project: string, name: string) {
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
    outdir: 'dist/hosts',
    charset: 'utf8',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'share-host',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^\.\/schema\/host\.ts$/ }, () => ({ path: '../host.mjs', external: true }))
          onResolve({ filter: /^\.\/schema\/lab-file\.ts$/ }, () => ({ path: '../lab-file.mjs', external: true }))
        },
      },
    ],
  }).catch((error) => {
    throw cannotCompile(name, error)
  })
  const paths = Object.keys(result.metafile.inputs)
  const inputs = Object.fromEntries(paths.map((path) => [path, digestOf(readFileSync(join(project, path)))]))
  return { text: result.outputFiles[0]?.text ?? '', inputs }
}

interface CompileError {
  readonly text: string
  readonly location: { readonly file: string; readonly line: number; readonly lineText: string } | null
}

function cannotCompile(name: string, error: { readonly errors?: readonly CompileError[] }): unknown {
  const [first] = error.errors ?? []
  if (first === undefined) return error
  const at = first.location === null ? `hosts/${name}.ts` : `${first.location.file}:${first.location.line}`
  const hint =
    first.location === null ? 'check the types: npm run types' : `the line reads: ${first.location.lineText.trim()}`
  return new UserError('host', `${at}: ${first.text}`, { hint })
}

function publish(path: string, text: string): void {
  makeDirectory(dirname(path))
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}
