import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface SmallDeb {
  readonly name: string
  readonly architecture?: string
  /** Path without a leading `/` -> content. */
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** Directory -> mode. */
  readonly directories?: Readonly<Record<string, number>>
  /** Control file -> content: `postinst`, `conffiles`, … */
  readonly control?: Readonly<Record<string, string | Buffer>>
  /** Additional lines of `control`. */
  readonly fields?: string
  /** Compression formats that dpkg can unpack without additional programs. */
  readonly compression?: 'gzip' | 'none'
}

/** Builds a package in a directory. Returns its path. */
export function smallDeb(directory: string, given: SmallDeb): string {
  const {
    name,
    architecture = 'all',
    files = {},
    directories = {},
    control = {},
    fields = '',
    compression = 'none',
  } = given
  const tree = join(directory, `${name}.tree`)
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
  const fixed = `Package: ${name}\nVersion: 1.0-1\nArchitecture: ${architecture}\nMaintainer: Jane Doe <jane@example.org>\n`
  writeFileSync(join(tree, 'DEBIAN/control'), `${fixed}${fields}Description: small\n nothing much\n`)
  for (const [file, text] of Object.entries(control)) {
    writeFileSync(join(tree, 'DEBIAN', file), text)
    if (/^((pre|post)(inst|rm)|config)$/.test(file)) chmodSync(join(tree, 'DEBIAN', file), 0o755)
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  for (const [path, mode] of Object.entries(directories)) {
    mkdirSync(join(tree, path), { recursive: true })
    chmodSync(join(tree, path), mode)
  }
  const deb = join(directory, `${name}.deb`)
  execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '-b', tree, deb], { stdio: 'ignore' })
  return deb
}
