/**
 * Whether a text can be the name of an npm package. Old packages have capital letters. No name begins with `.` or `_`,
 * so none can leave `node_modules` or name a property of every object.
 */
export function isPackageName(text: string): boolean {
  return NAME.test(text) && text.length <= 214 && text !== 'node_modules'
}

const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i

/** A version of an npm package: semantic versioning 2.0.0, without `v`. */
export function isPackageVersion(text: string): boolean {
  return VERSION.test(text)
}

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** The path of a package's tarball on every npm registry, without the server: `@scope/name/-/name-1.0.0.tgz`. */
export function tarballPath(name: string, version: string): string {
  return `${name}/-/${name.split('/').at(-1)}-${version}.tgz`
}

/** The path of a tarball below `/in`. Names have neither `+` nor a second `@`, so two packages never share a path. */
export function tarballInput(name: string, version: string): string {
  return `npm/${name.replace('/', '+')}@${version}.tgz`
}
