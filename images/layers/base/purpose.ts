/** What a root is for. A container has no database of packages, no init system and only its own user. */
export type Purpose = 'host' | 'container'

/** The hint for packages whose scripts hangar cannot carry to the target. `packages` is empty if they are unknown. */
export function withoutPackages(packages: readonly string[], purpose: Purpose): string {
  const names = packages.length === 0 ? 'the package' : [...new Set(packages)].map((name) => `'${name}'`).join(', ')
  return purpose === 'host'
    ? `remove ${names} from the packages of the base, or a package that depends on it (overlays/base/packages.ts), and run the program in a container: docs/services.md`
    : `if the program works without what these scripts make, add ${names} to 'withoutScripts' of the image in overlays/services; otherwise request another package`
}
