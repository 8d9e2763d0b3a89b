import type { ListedPath } from './listing.ts'

/** The aspect in which a path differs. `missing`: only the expected root has the path. `extra`: only the actual root has it. */
export type Aspect = 'missing' | 'extra' | Exclude<keyof ListedPath, 'path'>

export interface Difference {
  readonly path: string
  readonly aspects: readonly Aspect[]
  /** Expected and actual values, as text for a person. */
  readonly detail: string
}

/** An intended difference: paths, aspects and the reason. */
export interface Exception {
  readonly pattern: RegExp
  readonly aspects: readonly Aspect[]
  readonly reason: string
}

export interface Comparison {
  /** Differences that no exception covers. */
  readonly unexplained: readonly Difference[]
  readonly excused: readonly { readonly difference: Difference; readonly exception: Exception }[]
  /** Unused exceptions, which should be removed. */
  readonly unused: readonly Exception[]
}

const ASPECTS = [
  'kind',
  'mode',
  'uid',
  'gid',
  'target',
  'sha256',
  'same',
  'xattrs',
] as const satisfies readonly Aspect[]

/** Compares two roots path by path. An exception covers a difference only if it has all aspects of the difference. */
export function compareRoots(
  expected: readonly ListedPath[],
  actual: readonly ListedPath[],
  exceptions: readonly Exception[],
): Comparison {
  const differences = findDifferences(expected, actual)
  const covering = (difference: Difference) =>
    exceptions.find(
      ({ pattern, aspects }) =>
        pattern.test(difference.path) && difference.aspects.every((aspect) => aspects.includes(aspect)),
    )
  const excused = differences.flatMap((difference) => {
    const exception = covering(difference)
    return exception === undefined ? [] : [{ difference, exception }]
  })
  const used = new Set(excused.map(({ exception }) => exception))
  return {
    unexplained: differences.filter((difference) => covering(difference) === undefined),
    excused,
    unused: exceptions.filter((exception) => !used.has(exception)),
  }
}

export function findDifferences(expected: readonly ListedPath[], actual: readonly ListedPath[]): Difference[] {
  const actualItems = new Map(actual.map((item) => [item.path, item]))
  const expectedPaths = new Set(expected.map(({ path }) => path))
  const changed = expected.flatMap((item) => differenceOf(item, actualItems.get(item.path)))
  const extra = actual
    .filter(({ path }) => !expectedPaths.has(path))
    .map((item): Difference => ({ path: item.path, aspects: ['extra'], detail: describe(item) }))
  return [...changed, ...extra].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function differenceOf(expected: ListedPath, actual: ListedPath | undefined): Difference[] {
  const { path } = expected
  if (actual === undefined) return [{ path, aspects: ['missing'], detail: describe(expected) }]
  const aspects = ASPECTS.filter((aspect) => text(expected, aspect) !== text(actual, aspect))
  const detail = aspects
    .map((aspect) => `${aspect}: expected ${text(expected, aspect)}, got ${text(actual, aspect)}`)
    .join('; ')
  return aspects.length === 0 ? [] : [{ path, aspects, detail }]
}

function text(item: ListedPath, aspect: (typeof ASPECTS)[number]): string {
  if (aspect === 'mode') return `0${item.mode.toString(8)}`
  if (aspect === 'xattrs') return JSON.stringify(Object.entries(item.xattrs ?? {}).sort())
  return String(item[aspect])
}

function describe({ kind, mode, uid, gid }: ListedPath): string {
  return `${kind} 0${mode.toString(8)} ${uid}:${gid}`
}

/** Parses `listing.jsonl`: one line of JSON per path. */
export function parseListing(lines: string): ListedPath[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ListedPath)
}
