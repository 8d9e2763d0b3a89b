import { type Import, importsOf, type SourceFile } from './source-files.ts'

/** A rule says what is wrong with a tree, one line a breach. */
type Rule = (files: readonly SourceFile[], imports: readonly Import[]) => string[]

/** Programs that run in the sandbox, and what they share. */
const STEP = /^images\/layers\/[^/]+\/(?!recipe\.ts$)/

/**
 * Which folders a file may import, by the first pattern that its path matches. What an image is does not depend on how
 * it is built or flashed, and builder and flash meet in the manifest alone.
 */
const HOUSE: readonly (readonly [files: RegExp, mayImport: readonly string[]])[] = [
  [/^errors\.ts$/, []],
  // Each step is one file that needs nothing but node.
  [STEP, ['images/']],
  [/^images\//, ['images/', 'errors.ts']],
  [/^overlays\//, ['overlays/', 'images/', 'errors.ts']],
  [/^hosts\//, ['hosts/', 'overlays/', 'images/', 'errors.ts']],
  [/^lib\//, ['lib/', 'images/', 'errors.ts']],
  [/^builder\//, ['builder/', 'lib/', 'images/', 'errors.ts']],
  [/^flash\//, ['flash/', 'lib/', 'images/', 'errors.ts']],
  // The compiled program does not exist yet when this file starts.
  [/^cli\/hangar\.mjs$/, ['cli/bundle.mjs', 'dist/hangar.mjs']],
  [/^cli\//, ['cli/', 'builder/', 'flash/', 'lib/', 'hosts/', 'overlays/', 'images/', 'errors.ts']],
  [/^main\.ts$/, ['cli/', 'builder/', 'flash/', 'lib/', 'hosts/', 'overlays/', 'images/', 'errors.ts']],
]

/** Which files may import a package; it is known to no others. */
const WRAPPED: Readonly<Record<string, readonly string[]>> = {
  '@dagger.io/dagger': ['builder/runners/dagger/sdk.ts'],
  'age-encryption': ['builder/keys/age.ts'],
  // Verbs are declared where their commands are.
  commander: ['main.ts', 'cli/generation-verbs.ts', 'cli/publishing-verbs.ts'],
  diff: ['builder/generations/text-diff.ts'],
  esbuild: ['cli/bundle.mjs', 'cli/host-files/compile.ts', 'builder/runners/dagger/sdk.ts'],
  execa: ['lib/subprocess.ts'],
  openpgp: ['builder/sources/debian/archive/signature.ts'],
  'tar-stream': ['lib/tar.ts'],
  // Schemas are descriptions: they stand beside what they describe.
  zod: [
    'hosts/',
    'images/identity/',
    'images/lock.ts',
    'images/manifest.ts',
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

const LONGEST = 300

const isStep = (path: string) => STEP.test(path)
const isPure = (path: string) => /^(images|overlays|hosts)\//.test(path) && !isStep(path)
const isOurs = (path: string) => HOUSE.some(([files]) => files.test(path))
const isPackage = (to: string) => !to.startsWith('node:') && !/\.(ts|mjs|json)$/.test(to)
const startsWithOne = (path: string, starts: readonly string[]) => starts.some((start) => path.startsWith(start))

const house: Rule = (_files, imports) =>
  imports.flatMap(({ from, to }) => {
    const [, mayImport] = HOUSE.find(([files]) => files.test(from)) ?? []
    if (mayImport === undefined || to.startsWith('node:') || isPackage(to)) return []
    const entersStep = isStep(to) && !isStep(from)
    return startsWithOne(to, mayImport) && !entersStep ? [] : [`${from} must not import ${to}`]
  })

const packages: Rule = (_files, imports) =>
  imports
    .filter(({ from, to }) => isOurs(from) && isPackage(to))
    .filter(({ from, to }) => !startsWithOne(from, WRAPPED[to] ?? []))
    .map(
      ({ from, to }) => `${from} must not import the package '${to}'; who may: ${WRAPPED[to]?.join(', ') ?? 'nobody'}`,
    )

/** Reading a clock, the environment or a random number is an effect as much as reading a file. */
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

/** A step is one file in the sandbox: what it takes along when it runs must not drag a package in. */
const steps: Rule = (_files, imports) => {
  const values = imports.filter(({ kind }) => kind === 'value')
  return reachableFrom(values, isStep)
    .filter(isPackage)
    .map((to) => `a step takes the package '${to}' along`)
}

const cycles: Rule = (files, imports) =>
  files
    .filter(({ path }) => reachableFrom(imports, (from) => from === path).includes(path))
    .map(({ path }) => `${path} imports itself in a circle`)

const barrels: Rule = (files) =>
  files
    .filter(({ text }) => /^export\s+(type\s+)?[*{][^;]*?\bfrom\s*'/m.test(text))
    .map(({ path }) => `${path} re-exports`)

const sizes: Rule = (files) =>
  files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST)
    .map(({ path, lines }) => `${path} has ${lines} lines, at most ${LONGEST} are wanted`)

const names: Rule = (files) =>
  files
    .filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc)\.\w+$/.test(path))
    .map(({ path }) => `${path} is named after nothing`)

const RULES: readonly Rule[] = [house, packages, purity, steps, cycles, barrels, sizes, names]

/** Every breach of the house's rules in a tree of sources, in words. */
export function violations(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(importsOf)
  return RULES.flatMap((rule) => rule(files, imports))
}

/** What files are led to by imports, directly or by way of others; a file leads to itself only in a circle. */
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
