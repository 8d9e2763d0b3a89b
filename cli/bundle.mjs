// Compiles the program and the steps. Plain JavaScript: it runs before anything is compiled.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** What decides the bundle beside the files that esbuild reads. */
const TOOLS = ['cli/bundle.mjs', 'package-lock.json']
/** `NAME/step.ts` below it runs in the sandbox. */
const LAYERS = 'images/layers'

/**
 * Bundles each step to `dist/steps/NAME.mjs`, and `main.ts` to `dist/hangar.mjs` with its parts beside it. Two may
 * compile at once, and a program that runs keeps its parts: every file is replaced whole, and the stamp comes last.
 */
export async function bundle(project = PROJECT) {
  const { build } = await import('esbuild')
  // Paths of sources are comments in the output; through a symbolic link they would be others.
  const root = realpathSync(project)
  const options = {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outdir: join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
    // Said here, so that no tsconfig.json of a directory above has a say.
    tsconfigRaw: { compilerOptions: { target: 'ES2023', verbatimModuleSyntax: true } },
  }
  const before = Date.now()
  const steps = await build({ ...options, entryPoints: stepFiles(root) })
  const sources = new Set([...TOOLS, ...Object.keys(steps.metafile.inputs)])
  for (const file of steps.outputFiles) publish(file.path, file.contents)
  const program = await build({
    ...options,
    // Host files are compiled apart, and share the program's own copy of `hosts/schema/host.ts`.
    entryPoints: { hangar: 'main.ts', host: 'hosts/schema/host.ts' },
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    // The SDK is large, and loaded by few builds.
    external: ['esbuild', '@dagger.io/dagger'],
    plugins: [oneLanguage],
    // Packages in CommonJS form ask for `require`.
    banner: { js: REQUIRE },
  })
  for (const path of Object.keys(program.metafile.inputs)) if (isOurs(path)) sources.add(path)
  for (const file of inLoadingOrder(program.outputFiles)) publish(file.path, file.contents)
  publish(join(root, 'dist/stamp.json'), stampOf(root, sources, before))
  removeOldParts(join(root, 'dist/parts'), new Set(program.outputFiles.map(({ path }) => basename(path))))
}

const REQUIRE =
  "import { createRequire as hangarRequire } from 'node:module'; const require = hangarRequire(import.meta.url);"

/** zod brings its messages in fifty languages, which nobody asks it for, and English apart from them. */
const oneLanguage = {
  name: 'one language',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/node_modules/zod/') ? { path: 'locales', namespace: 'empty' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export {}' }))
  },
}

function stepFiles(root) {
  const names = readdirSync(join(root, LAYERS)).filter((name) => existsSync(join(root, LAYERS, name, 'step.ts')))
  return Object.fromEntries(names.sort().map((name) => [`steps/${name}`, `${LAYERS}/${name}/step.ts`]))
}

/** Packages change with `package-lock.json` only. */
function isOurs(path) {
  return !/(^|\/)node_modules\/|^empty:/.test(path)
}

/** Parts before what imports them. */
function inLoadingOrder(files) {
  const isPart = ({ path }) => basename(dirname(path)) === 'parts'
  return [...files.filter(isPart), ...files.filter((file) => !isPart(file))]
}

function publish(path, contents) {
  const beside = `${path}.${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(beside, contents)
  renameSync(beside, path)
}

/** Path -> time of change and size, as `hangar.mjs` compares them. A file that changed meanwhile is compiled again. */
function stampOf(root, sources, before) {
  const entries = [...sources, LAYERS].sort().map((path) => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs >= before ? [0, 0] : [mtimeMs, size]]
  })
  return JSON.stringify(Object.fromEntries(entries))
}

const A_DAY = 24 * 60 * 60 * 1000

/** As esbuild names parts (`chunkNames`), and as `publish` names them while it writes. */
const PART = /-[A-Z0-9]{8}\.mjs(\.\d+)?$/

/** A program that was started before may still ask for its parts. */
function removeOldParts(directory, current) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (PART.test(name) && !current.has(name) && age > A_DAY) rmSync(path, { force: true })
  }
}

/** What esbuild complains of, one line each; undefined where the error is another. */
export function complaints(error) {
  if (!Array.isArray(error?.errors)) return undefined
  return error.errors.map(({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text))
}

/** After `npm ci`. What cannot be compiled now is compiled, and complained of, by the first command. */
async function postinstall() {
  try {
    readFileSync(join(PROJECT, 'main.ts'))
    await bundle()
  } catch (error) {
    process.stderr.write(`hangar is not compiled yet: ${complaints(error)?.[0] ?? error.message}\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await postinstall()
