import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { type PackageStatement, STATEMENTS_FILE } from '../../sbom/statement.ts'
import { type Deb, packageName } from './deb.ts'

/** Leaves what packages say of themselves; `root` is where they were unpacked, and nothing was taken out yet. */
export function leaveStatements(root: string, debs: readonly Deb[]): void {
  writeFileSync(`/out/${STATEMENTS_FILE}`, JSON.stringify(debs.map((deb) => statementOf(root, deb))))
}

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

/** A package's documents may be a link to those of another of the same source, which need not be here. */
function readCopyright(root: string, name: string): string | undefined {
  try {
    const file = realpathSync(`${root}/usr/share/doc/${name}/copyright`)
    return file.startsWith(`${realpathSync(root)}/`) ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
