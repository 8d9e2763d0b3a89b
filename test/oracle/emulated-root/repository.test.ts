import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseFields } from '../../../images/layers/parts/deb.ts'
import { smallDeb } from '../../helpers/small-deb.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { packagesIndex, writeRepository } from './repository.ts'

describe('writeRepository', () => {
  it('writes an index with path, size and digest of each file, and a Release file with the digest of the index', async () => {
    const directory = await tempDirectory()
    const deb = smallDeb(directory, { name: 'one', fields: 'Essential: yes\n' })
    expect(await writeRepository(`${directory}/repository`, directory, ['one.deb'])).toEqual(['one'])
    const index = readFileSync(`${directory}/repository/Packages`, 'utf8')
    const bytes = readFileSync(deb)
    expect(index).toContain('Package: one\n')
    expect(index).toContain('Essential: yes\n')
    expect(index).toContain(
      `Filename: debs/one.deb\nSize: ${bytes.length}\nSHA256: ${createHash('sha256').update(bytes).digest('hex')}\n`,
    )
    expect(readFileSync(`${directory}/repository/debs/one.deb`).equals(bytes)).toBe(true)
    const release = readFileSync(`${directory}/repository/Release`, 'utf8')
    expect(release).toContain('Codename: trixie\n')
    expect(release).toContain(` ${createHash('sha256').update(index).digest('hex')} ${index.length} Packages\n`)
  })

  it('removes dependencies that no package in the repository satisfies', () => {
    const index = packagesIndex([
      parseFields(
        'Package: a\nPre-Depends: libc6 (>= 2.38)\nDepends: gnupg (>= 2), b:any | nothing, virtual\nDescription: x\n more',
      ),
      parseFields('Package: b\nProvides: virtual (= 1), other\nDepends: procps\nDescription: y'),
    ])
    expect(index).toBe(
      'Package: a\nDepends: b:any | nothing, virtual\nDescription: x\n more\n\nPackage: b\nProvides: virtual (= 1), other\nDescription: y\n',
    )
  })
})
