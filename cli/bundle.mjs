// Compiles hangar and the layer steps. This file is plain JavaScript, because it runs before any compilation.
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
/** Files that affect the bundle, although esbuild does not read them. */
const TOOLS = ['cli/bundle.mjs', 'package-lock.json']
/** The folder of the layers. Each `NAME/step.ts` below it runs in the sandbox. */
const LAYERS = 'images/layers'

/**
 * Bundles each step to `dist/steps/NAME.mjs`, and `main.ts` to `dist/hangar.mjs` and `dist/parts`. Several processes
 * may compile or run at the same time. For this reason hangar replaces every file atomically, and writes the stamp
 * last.
 */
export async function bundle(project = PROJECT) {
  const { build } = await import('esbuild')
  // Resolves symbolic links, because the output contains source paths as comments.
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
    // Sets these options here, so that a tsconfig.json in a parent directory has no effect.
    tsconfigRaw: { compilerOptions: { target: 'ES2023', verbatimModuleSyntax: true } },
  }
  const before = Date.now()
  const steps = await build({ ...options, entryPoints: stepFiles(root) })
  const sources = new Set([...TOOLS, ...Object.keys(steps.metafile.inputs)])
  for (const file of steps.outputFiles) publish(file.path, file.contents)
  const program = await build({
    ...options,
    // Host files and the lab file are compiled separately, and share the program's own copies of their schemas.
    entryPoints: { hangar: 'main.ts', host: 'hosts/schema/host.ts', 'lab-file': 'hosts/schema/lab-file.ts' },
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    // Leaves out the SDK, because it is large and few builds load it.
    external: ['esbuild', '@dagger.io/dagger'],
    plugins: [englishOnly],
    // Defines `require` in the bundle, because CommonJS packages need it.
    banner: { js: REQUIRE },
  })
  for (const path of Object.keys(program.metafile.inputs)) if (isOurs(path)) sources.add(path)
  for (const file of inLoadingOrder(program.outputFiles)) publish(file.path, file.contents)
  publish(join(root, 'dist/stamp.json'), stampOf(root, sources, before))
  removeOldParts(join(root, 'dist/parts'), new Set(program.outputFiles.map(({ path }) => basename(path))))
}

const REQUIRE =
  "import { createRequire as hangarRequire } from 'node:module'; const require = hangarRequire(import.meta.url);"

/** Leaves out zod's messages in fifty other languages; English is a separate file. */
const englishOnly = {
  name: 'english-only',
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

/** Leaves packages out of the stamp, because they change only with `package-lock.json`. */
function isOurs(path) {
  return !/(^|\/)node_modules\/|^empty:/.test(path)
}

/** Writes the files in `dist/parts` before the files that import them. */
function inLoadingOrder(files) {
  const isPart = ({ path }) => basename(dirname(path)) === 'parts'
  return [...files.filter(isPart), ...files.filter((file) => !isPart(file))]
}

function publish(path, contents) {
  const temporary = `${path}.${process.pid}`
  makeDirectory(dirname(path))
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}

/** Throws the system's own error, as lib/make-directory.ts does: Node reports 'no such file' on a read-only file system. */
function makeDirectory(directory) {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory)
  } catch (error) {
    // Another process may compile at the same time.
    if (error.code !== 'EEXIST') throw error
  }
}

/** Path -> modification time and size, for `hangar.mjs` to compare. A file that changed during the build is marked stale. */
function stampOf(root, sources, before) {
  const entries = [...sources, LAYERS].sort().map((path) => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs >= before ? [0, 0] : [mtimeMs, size]]
  })
  return JSON.stringify(Object.fromEntries(entries))
}

const A_DAY = 24 * 60 * 60 * 1000

/** The file names in `dist/parts`: esbuild's names (`chunkNames`), and temporary names from `publish`. */
const PART = /-[A-Z0-9]{8}\.mjs(\.\d+)?$/

/** Deletes files in `dist/parts` that are older than a day. A running program may still import younger files. */
function removeOldParts(directory, current) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (PART.test(name) && !current.has(name) && age > A_DAY) rmSync(path, { force: true })
  }
}

/** The errors of esbuild, one per line; undefined for any other error. */
export function compileErrors(error) {
  if (!Array.isArray(error?.errors)) return undefined
  return error.errors.map(({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text))
}

/**
 * Runs after `npm ci`. Only prints a note if the compilation fails, because the first command compiles again and
 * reports the errors.
 */
async function postinstall() {
  try {
    readFileSync(join(PROJECT, 'main.ts'))
    await bundle()
  } catch (error) {
    process.stderr.write(`hangar is not compiled yet: ${compileErrors(error)?.[0] ?? error.message}\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await postinstall()
