/** What a root is for. A container has no database of packages, no init system and only its own user. */
export type Purpose = 'host' | 'container'

/** The hint for packages whose scripts hangar cannot carry to the target. `packages` is empty if they are unknown. */
export function withoutPackages(packages: readonly string[], purpose: Purpose): string {
  const names = namesOf(packages)
  return purpose === 'host'
    ? `${removeFromBase(names)}, and run the program in a container: docs/services.md`
    : `if the program works without what these scripts make, add ${names} to 'withoutScripts' of the image in overlays/services; otherwise request another package`
}

/** The hint for packages whose scripts make something that belongs to one machine. `packages` is empty if they are unknown. */
export function withoutMachineFiles(packages: readonly string[], purpose: Purpose): string {
  const names = namesOf(packages)
  return purpose === 'host'
    ? `${removeFromBase(names)}; run the program in a container (docs/services.md), or make the file on the host at its first start, below /data`
    : `add ${names} to 'withoutScripts' of the image in overlays/services, and make the file in the container at its first start, on a volume`
}

function namesOf(packages: readonly string[]): string {
  return packages.length === 0 ? 'the package' : [...new Set(packages)].map((name) => `'${name}'`).join(', ')
}

function removeFromBase(names: string): string {
  return `remove ${names} from the packages of the base, or a package that depends on it (overlays/base/packages.ts)`
}
