import { UserError } from '../../errors.ts'
import { isInRange } from './range.ts'

/** A package and the range of Node.js versions that it states. */
export interface Engine {
  readonly package: string
  readonly version: string
  readonly node: string | undefined
}

/** The version of Node.js in the version of Debian's package: `20.19.2` in `20.19.2+dfsg-1+deb13u3`. */
export function nodeVersionIn(debianVersion: string): string | undefined {
  return /^(?:\d+:)?(\d+\.\d+\.\d+)(?![\w.])/.exec(debianVersion)?.[1]
}

/** The packages that exclude a version of Node.js. A range that does not follow npm's grammar excludes nothing. */
export function excluding<Some extends Engine>(engines: readonly Some[], node: string): Some[] {
  return engines.filter(({ node: range }) => range !== undefined && isInRange(node, range) === false)
}

/**
 * Throws UserError if a package that the service itself names excludes Debian's Node.js. Packages below them often
 * exclude more versions than they must, and npm only warns about them.
 */
export function requireEngines(direct: readonly Engine[], node: string, where: string): void {
  const [first] = excluding(direct, node)
  if (first === undefined) return
  const { package: name, version, node: range } = first
  throw new UserError(
    'lock',
    `'${where}': '${name}@${version}' needs Node.js '${range}', Debian's package has ${node}`,
    { hint: `set an older range for '${name}' in package.json, then: npm run lock` },
  )
}
