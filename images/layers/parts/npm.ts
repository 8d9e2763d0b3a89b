import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { isNativeModule, isUsable, machineOf } from '../../npm/binary.ts'
import { NPM_DIRECTORY, type Unpacked } from '../../npm/npm-package.ts'
import { type PackageFile, packageFiles } from '../../npm/tarball.ts'

/**
 * Unpacks npm packages below `/app/node_modules` of a root, and links their commands, as `npm ci --ignore-scripts` does.
 * Modes do not depend on the umask. Leaves out native modules that the host cannot load.
 */
export function unpackNpm(root: string, packages: readonly Unpacked[], read: (file: string) => Uint8Array): void {
  const base = `${root}${NPM_DIRECTORY}`
  const places = packages.flatMap(({ locations, ...each }) => locations.map((location) => ({ ...each, location })))
  // Sorted, so that a package exists before the packages in its own node_modules.
  for (const each of places.sort((a, b) => (a.location < b.location ? -1 : 1))) {
    const directory = `${base}/${each.location}`
    if (existsSync(directory))
      throw new Error(`two packages have files in '${each.location}': a tarball contains the package of another one`)
    const files = packageFiles(gunzipSync(read(each.file)))
    const commands = new Set(Object.values(each.bin))
    for (const file of files.filter(isLoadable)) writeFile(`${directory}/${file.path}`, file, commands.has(file.path))
  }
  linkCommands(base, places)
}

function isLoadable({ path, bytes }: PackageFile): boolean {
  return !isNativeModule(path) || isUsable(path, machineOf(bytes))
}

function writeFile(path: string, { bytes, executable }: PackageFile, isCommand: boolean): void {
  makeDirectory(dirname(path))
  writeFileSync(path, bytes)
  chmodSync(path, executable || isCommand ? 0o755 : 0o644)
}

function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  mkdirSync(path)
  chmodSync(path, 0o755)
}

type Place = Omit<Unpacked, 'locations'> & { readonly location: string }

/** If two packages have the same command, the one that the service itself names wins, and then the first by location. */
function linkCommands(base: string, places: readonly Place[]): void {
  const links = new Map<string, string>()
  const byUse = [...places].sort((a, b) => (a.use === b.use ? 0 : a.use === 'direct' ? -1 : 1))
  for (const { location, bin } of byUse) {
    const parent = location.slice(0, location.lastIndexOf('node_modules/') + 'node_modules'.length)
    for (const [command, path] of Object.entries(bin)) {
      const link = `${parent}/.bin/${command}`
      if (!links.has(link) && existsSync(`${base}/${location}/${path}`)) links.set(link, `${location}/${path}`)
    }
  }
  for (const [link, target] of [...links].sort(([a], [b]) => (a < b ? -1 : 1))) {
    makeDirectory(dirname(`${base}/${link}`))
    symlinkSync(relative(dirname(link), target), `${base}/${link}`)
  }
}
