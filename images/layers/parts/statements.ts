import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { type PackageStatement, STATEMENTS_FILE } from '../../sbom/statement.ts'
import { type Deb, packageName } from './deb.ts'

/** Writes the packages' statements to `/out`. Call it before pruning: `root` must still have every unpacked file. */
export function writeStatements(root: string, debs: readonly Deb[]): void {
  writeFileSync(`/out/${STATEMENTS_FILE}`, JSON.stringify(debs.map((deb) => statementOf(root, deb))))
}

/** Reads the statement of a package that was unpacked in `root`. */
export function statementOf(root: string, deb: Deb): PackageStatement {
  const { fields } = deb
  return {
    package: packageName(deb),
    version: fields.get('Version') ?? '',
    architecture: (fields.get('Architecture') ?? '') as PackageStatement['architecture'],
    source: fields.get('Source'),
    builtUsing: fields.get('Built-Using'),
    staticBuiltUsing: fields.get('Static-Built-Using'),
    homepage: fields.get('Homepage'),
    copyright: readCopyright(root, packageName(deb)),
  }
}

/** Undefined if the package's documentation is a link to another package's, and that package is not in this root. */
function readCopyright(root: string, name: string): string | undefined {
  try {
    const file = realpathSync(`${root}/usr/share/doc/${name}/copyright`)
    return file.startsWith(`${realpathSync(root)}/`) ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
