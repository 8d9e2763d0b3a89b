import { basename, dirname } from 'node:path'
import { controlText, type Deb, packageName } from '../parts/deb.ts'
import { SCRIPTS } from './script-differences.ts'

/** A directory of more packages than this says nothing about which of them made a file in it. */
const FEW = 2

/**
 * The packages whose scripts probably made a path: those whose scripts name it, that ship the nearest directory above, or
 * whose scripts have the file's name. Empty if many packages could have made it.
 */
export function responsibleFor(path: string, debs: readonly Deb[]): string[] {
  const naming = (text: string) => namingIn(debs, text)
  const found = [naming(path), ownersOf(dirname(path), debs), naming(basename(path))]
  return found.find(({ length }) => length > 0 && length <= FEW) ?? []
}

/** The packages whose scripts have a text, which is compared in the bytes of the scripts. */
function namingIn(debs: readonly Deb[], text: string): string[] {
  const bytes = Buffer.from(text).toString('latin1')
  return debs.filter((deb) => SCRIPTS.some((script) => controlText(deb, script).includes(bytes))).map(packageName)
}

function ownersOf(directory: string, debs: readonly Deb[]): string[] {
  for (let at = directory; at !== '/'; at = dirname(at)) {
    const owners = debs.filter(({ files }) => files.includes(at))
    if (owners.length > 0) return owners.map(packageName)
  }
  return debs.map(packageName)
}
