import { type Import, importsOf, type SourceFile } from './source-files.ts'

/**
 * The architecture rules of the project, in words:
 *
 * 1. Folders. `images` imports only `errors`, `overlays` also `images`, `hosts` also both. `lib` imports `images`.
 *    `builder` and `flash` import `images` and `lib`, never each other, never `hosts` or `overlays`: they meet in the
 *    manifest. `cli` imports everything. `main.ts` imports only `cli`.
 * 2. Steps (`images/layers/NAME/step.ts`) run in the sandbox: they import only `images` and Node, and nothing else
 *    imports them.
 * 3. Packages. Each package is imported by the files in `PACKAGES` only.
 * 4. Purity. `images`, `overlays` and `hosts` compute values: no files, clock, environment or random numbers.
 * 5. Start-up. Every start of hangar loads the static imports of `main.ts`: no package but commander, and of
 *    `builder`, `flash` and `hosts` only small files without imports. Commands import their use cases when they run.
 * 6. Cycles. No file imports itself, directly or through other files.
 * 7. Files. No file only re-exports another, is longer than 300 lines, or has a name without a topic.
 */
export function violations(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(importsOf)
  return RULES.flatMap((rule) => rule(files, imports))
}

/** Returns one line for each violation. */
type Rule = (files: readonly SourceFile[], imports: readonly Import[]) => string[]

/** Programs that run in the sandbox, and the parts that they share. */
const STEP = /^images\/layers\/[^/]+\/(?!recipe\.ts$)/

/** The folders that a file may import; the first pattern that matches the file counts. */
const FOLDERS: readonly (readonly [files: RegExp, mayImport: readonly string[]])[] = [
  [/^errors\.ts$/, []],
  [STEP, ['images/']],
  [/^images\//, ['images/', 'errors.ts']],
  [/^overlays\//, ['overlays/', 'images/', 'errors.ts']],
  [/^hosts\//, ['hosts/', 'overlays/', 'images/', 'errors.ts']],
  [/^lib\//, ['lib/', 'images/', 'errors.ts']],
  [/^builder\//, ['builder/', 'lib/', 'images/', 'errors.ts']],
  [/^flash\//, ['flash/', 'lib/', 'images/', 'errors.ts']],
  // hangar.mjs compiles the program before it can import it.
  [/^cli\/hangar\.mjs$/, ['cli/bundle.mjs', 'dist/hangar.mjs']],
  [/^cli\//, ['cli/', 'builder/', 'flash/', 'lib/', 'hosts/', 'overlays/', 'images/', 'errors.ts']],
  [/^main\.ts$/, ['cli/', 'errors.ts']],
]

/** Package -> the files and folders that may import it. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@dagger.io/dagger': ['builder/runners/dagger/sdk.ts'],
  '@peculiar/x509': ['builder/certificates/x509.ts'],
  'age-encryption': ['builder/keys/age.ts'],
  commander: ['cli/program.ts'],
  diff: ['builder/generations/text-diff.ts'],
  esbuild: ['cli/bundle.mjs', 'cli/host-files/compile.ts', 'builder/runners/dagger/sdk.ts'],
  execa: ['lib/subprocess.ts'],
  'reflect-metadata': ['builder/certificates/x509.ts'],
  openpgp: ['builder/sources/debian/archive/signature.ts'],
  'tar-stream': ['lib/tar.ts'],
  // A schema is part of the type it describes, so the files with schemas import zod.
  zod: [
    'hosts/platforms/',
    'hosts/schema/',
    'images/grammar.ts',
    'images/identity/',
    'images/lock.ts',
    'images/manifest.ts',
    'images/npm/manifest.ts',
    'images/npm/package-lock.ts',
    'images/secrets/secret-records.ts',
    'builder/generations/parts.ts',
    'builder/generations/record.ts',
    'builder/publish/oci-index.ts',
    'builder/publish/published-image.ts',
    'overlays/service.ts',
    'overlays/services/',
    'flash/ssh/answers.ts',
    'flash/ssh/status.ts',
  ],
}

const MAX_LINES = 300

const isStep = (path: string) => STEP.test(path)
const isPure = (path: string) => /^(images|overlays|hosts)\//.test(path) && !isStep(path)
const hasRules = (path: string) => FOLDERS.some(([files]) => files.test(path))
const isPackage = (to: string) => !to.startsWith('node:') && !/\.(ts|mjs|json)$/.test(to)
const startsWithOne = (path: string, starts: readonly string[]) => starts.some((start) => path.startsWith(start))

const folders: Rule = (_files, imports) =>
  imports.flatMap(({ from, to }) => {
    const [, mayImport] = FOLDERS.find(([files]) => files.test(from)) ?? []
    if (mayImport === undefined || to.startsWith('node:') || isPackage(to)) return []
    const entersStep = isStep(to) && !isStep(from)
    return startsWithOne(to, mayImport) && !entersStep ? [] : [`${from} must not import ${to}`]
  })

const packages: Rule = (_files, imports) =>
  imports
    .filter(({ from, to }) => hasRules(from) && isPackage(to))
    .filter(({ from, to }) => !startsWithOne(from, PACKAGES[to] ?? []))
    .map(({ from, to }) => {
      const allowed = PACKAGES[to]?.join(', ') ?? 'no file'
      return `${from} must not import the package '${to}'; allowed: ${allowed}`
    })

/** Reading a clock, the environment or a random number is an effect too. */
const EFFECT =
  /\b(process\.(env|cwd|argv|std\w+)|console\.(log|warn|error)|Date\.now|new Date\(\)|Math\.random|fetch\()/

const purity: Rule = (files, imports) => [
  ...imports
    .filter(({ from, to }) => isPure(from) && to.startsWith('node:') && to !== 'node:crypto')
    .map(({ from, to }) => `${from} is pure and must not import ${to}`),
  ...files
    .filter(({ path, text }) => isPure(path) && EFFECT.test(text))
    .map(({ path, text }) => `${path} is pure and must not use '${EFFECT.exec(text)?.[0]}'`),
]

/** The sandbox has no `node_modules`, so a step must not import a package, not even through another file. */
const steps: Rule = (_files, imports) => {
  const values = imports.filter(({ kind }) => kind !== 'type')
  return reachableFrom(values, isStep)
    .filter(isPackage)
    .map((to) => `a step must not import the package '${to}', directly or through another file`)
}

const startUp: Rule = (_files, imports) => {
  const loaded = reachableFrom(
    imports.filter(({ kind }) => kind === 'value'),
    (path) => path === 'main.ts',
  )
  const importsFiles = new Set(
    imports.filter(({ kind, to }) => kind === 'value' && !to.startsWith('node:')).map(({ from }) => from),
  )
  return loaded
    .filter((path) => (isPackage(path) ? path !== 'commander' : isUseCase(path) && importsFiles.has(path)))
    .map((path) => `every start of hangar loads '${path}'; import it when a command runs`)
}

const isUseCase = (path: string) => /^(builder|flash|hosts)\//.test(path)

const cycles: Rule = (files, imports) =>
  files
    .filter(({ path }) => reachableFrom(imports, (from) => from === path).includes(path))
    .map(({ path }) => `${path} is part of an import cycle`)

const reexports: Rule = (files) =>
  files
    .filter(({ text }) => /^export\s+(type\s+)?[*{][^;]*?\bfrom\s*'/m.test(text))
    .map(({ path }) => `${path} re-exports another file`)

const sizes: Rule = (files) =>
  files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines, wanted at most ${MAX_LINES}`)

const names: Rule = (files) =>
  files
    .filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc)\.\w+$/.test(path))
    .map(({ path }) => `${path} has a name without a topic`)

const RULES: readonly Rule[] = [folders, packages, purity, steps, startUp, cycles, reexports, sizes, names]

/** The files and packages that imports lead to, directly or through other files. */
function reachableFrom(imports: readonly Import[], isStart: (path: string) => boolean): string[] {
  const reached = new Set<string>()
  let next = imports.filter(({ from }) => isStart(from)).map(({ to }) => to)
  while (next.length > 0) {
    const fresh = new Set(next.filter((path) => !reached.has(path)))
    for (const path of fresh) reached.add(path)
    next = imports.filter(({ from }) => fresh.has(from)).map(({ to }) => to)
  }
  return [...reached]
}
