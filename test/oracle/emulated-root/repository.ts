import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { parseFields } from '../../../images/layers/parts/deb.ts'
import { capture } from '../../../images/layers/parts/exec.ts'

/** The code name in the Release file. mmdebstrap selects essential packages by code name. */
const CODENAME = 'trixie'

/** Writes an apt repository that links to the packages in one directory. Returns the names of the packages. */
export async function writeRepository(directory: string, debs: string, names: readonly string[]): Promise<string[]> {
  mkdirSync(directory, { recursive: true })
  symlinkSync(debs, `${directory}/debs`)
  const controls = await inPairs(names, async (name) =>
    parseFields(await capture('dpkg-deb', ['-f', `${debs}/${name}`])),
  )
  const index = packagesIndex(
    controls.map((fields, place) => new Map([...fields, ...fileFields(debs, names[place] ?? '')])),
  )
  writeFileSync(`${directory}/Packages`, index)
  writeFileSync(`${directory}/Release`, release(index))
  return controls.map((fields) => fields.get('Package') ?? '')
}

/** The `Packages` file, without dependencies that no package here satisfies: the lock assumes them, apt would refuse. */
export function packagesIndex(packages: readonly ReadonlyMap<string, string>[]): string {
  const present = new Set(
    packages.flatMap((fields) => [fields.get('Package') ?? '', ...relationNames(fields.get('Provides') ?? '').flat()]),
  )
  const satisfiable = (relations: string) =>
    relations
      .split(',')
      .filter((clause) =>
        relationNames(clause)
          .flat()
          .some((name) => present.has(name)),
      )
      .map((clause) => clause.trim())
      .join(', ')
  const paragraphs = packages.map((fields) => {
    const lines = [...fields].flatMap(([name, value]) => {
      const kept = name === 'Depends' || name === 'Pre-Depends' ? satisfiable(value) : value
      return kept === '' ? [] : [`${name}: ${kept}\n`]
    })
    return lines.join('')
  })
  return paragraphs.join('\n')
}

/** `a (>= 1) | b:any, c` -> the package names of each clause. */
function relationNames(relations: string): string[][] {
  return relations.split(',').map((clause) => clause.split('|').map((each) => each.trim().replace(/[\s:(].*$/s, '')))
}

function fileFields(debs: string, name: string): [string, string][] {
  const content = readFileSync(`${debs}/${name}`)
  return [
    ['Filename', `debs/${name}`],
    ['Size', String(content.length)],
    ['SHA256', createHash('sha256').update(content).digest('hex')],
  ]
}

function release(index: string): string {
  const digest = createHash('sha256').update(index).digest('hex')
  const date = 'Thu, 01 Jan 1970 00:00:00 UTC'
  return `Codename: ${CODENAME}\nSuite: ${CODENAME}\nDate: ${date}\nSHA256:\n ${digest} ${Buffer.byteLength(index)} Packages\n`
}

/** Runs `work` on two items at a time, because the smallest builder has two processors. */
async function inPairs<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T)
    }
  }
  await Promise.all([worker(), worker()])
  return results
}
