import { basename, dirname } from 'node:path'
import { type Deb, packageName } from '../parts/deb.ts'

/** A directory of more packages than this says nothing about which of them made a file in it. */
const FEW = 2

/**
 * The packages whose scripts probably made a path: those that ship the nearest directory above, or whose scripts name the
 * file. Empty if many packages could have made it.
 */
export function responsibleFor(path: string, debs: readonly Deb[]): string[] {
  const owners = ownersOf(dirname(path), debs)
  if (owners.length <= FEW) return owners
  const naming = debs.filter(({ control }) =>
    ['preinst', 'postinst'].some((script) => String(control.get(script) ?? '').includes(basename(path))),
  )
  return naming.length <= FEW ? naming.map(packageName) : []
}

function ownersOf(directory: string, debs: readonly Deb[]): string[] {
  for (let at = directory; at !== '/'; at = dirname(at)) {
    const owners = debs.filter(({ files }) => files.includes(at))
    if (owners.length > 0) return owners.map(packageName)
  }
  return debs.map(packageName)
}
