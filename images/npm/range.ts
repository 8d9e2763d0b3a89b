import { comparePackageVersions } from './version.ts'

/**
 * Whether a released version is in a range of npm's grammar: `^20.19 || >=22.12`. Undefined if the range does not follow
 * the grammar. A prerelease in a range counts as the release that follows it.
 */
export function isInRange(version: string, range: string): boolean | undefined {
  const alternatives = range.split('||').map(comparatorsOf)
  if (!alternatives.every((each) => each !== undefined)) return undefined
  return alternatives.some((all) => all.every((holds) => holds(version)))
}

type Comparator = (version: string) => boolean

function comparatorsOf(text: string): Comparator[] | undefined {
  const hyphen = /^\s*(\S+)\s+-\s+(\S+)\s*$/.exec(text)
  const words =
    hyphen === null ? text.replace(/(>=|<=|[<>=~^])\s+/g, '$1').split(/\s+/) : [`>=${hyphen[1]}`, `<=${hyphen[2]}`]
  const found = words.filter((word) => word !== '').map(comparatorOf)
  return found.every((each) => each !== undefined) ? found : undefined
}

/** A version with missing parts: `20`, `20.x`, `*`. */
type Parts = readonly number[]

const COMPARATOR = /^(>=|<=|>|<|=|\^|~>?)?v?(\d+|[x*])(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?(?:-[\w.-]+)?(?:\+[\w.-]+)?$/i

function comparatorOf(word: string): Comparator | undefined {
  const [whole, operator = '', ...given] = COMPARATOR.exec(word) ?? []
  if (whole === undefined) return undefined
  const wild = given.findIndex((part) => part === undefined || !/^\d+$/.test(part))
  const parts = given.slice(0, wild === -1 ? 3 : wild).map(Number)
  return OPERATORS[operator]?.(parts)
}

const from = (parts: Parts): Comparator => {
  return (version) => comparePackageVersions(version, textOf(parts)) >= 0
}

const before = (parts: Parts): Comparator => {
  return (version) => comparePackageVersions(version, textOf(parts)) < 0
}

const both = (one: Comparator, other: Comparator): Comparator => {
  return (version) => one(version) && other(version)
}

const always: Comparator = () => true
const never: Comparator = () => false

/** The versions that begin with these parts, and all older ones. */
const upTo = (parts: Parts) => (parts.length === 0 ? always : before(next(parts)))

/** The versions that begin with these parts. */
const within = (parts: Parts) => both(from(parts), upTo(parts))

const tilde = (parts: Parts) => both(from(parts), upTo(parts.slice(0, 2)))

const OPERATORS: Readonly<Record<string, (parts: Parts) => Comparator>> = {
  '': within,
  '=': within,
  '>=': from,
  '<': (parts) => (parts.length === 0 ? never : before(parts)),
  '>': (parts) => (parts.length === 0 ? never : from(next(parts))),
  '<=': upTo,
  '~': tilde,
  '~>': tilde,
  '^': (parts) => both(from(parts), upTo(parts.slice(0, leading(parts)))),
}

/** The parts up to the first one that is not zero: `^0.2.3` allows changes to the right of the 2. */
function leading(parts: Parts): number {
  const first = parts.findIndex((part) => part !== 0)
  return first === -1 ? parts.length : first + 1
}

/** The first version after all versions that begin with these parts. */
function next(parts: Parts): Parts {
  return parts.map((part, at) => (at === parts.length - 1 ? part + 1 : part))
}

function textOf(parts: Parts): string {
  return [0, 1, 2].map((at) => parts[at] ?? 0).join('.')
}
