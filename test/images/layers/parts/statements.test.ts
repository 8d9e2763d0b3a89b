import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { unpackDebs } from '../../../../images/layers/parts/deb.ts'
import { statementOf } from '../../../../images/layers/parts/statements.ts'
import { type SmallDeb, smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

/** Unpacks packages into one root, and returns a function that reads their statements. */
async function statementsOf(...packages: readonly SmallDeb[]) {
  const directory = await tempDirectory()
  const root = `${directory}/root`
  const debs = await unpackDebs(
    packages.map((each) => smallDeb(directory, each)),
    root,
  )
  return { directory, root, debs, statements: () => debs.map((deb) => statementOf(root, deb)) }
}

describe('statementOf', () => {
  it('reads the control file and the copyright file', async () => {
    const { statements } = await statementsOf({
      name: 'one',
      architecture: 'arm64',
      fields: 'Source: both (1.0)\nHomepage: https://example.org/\nBuilt-Using: glibc (= 2.41-12)\n',
      files: { 'usr/share/doc/one/copyright': 'Format: …\n' },
    })
    expect(JSON.parse(JSON.stringify(statements()))).toEqual([
      {
        package: 'one',
        version: '1.0-1',
        architecture: 'arm64',
        source: 'both (1.0)',
        homepage: 'https://example.org/',
        builtUsing: 'glibc (= 2.41-12)',
        copyright: 'Format: …\n',
      },
    ])
  })

  it('follows a link to the documentation of another package in the same root', async () => {
    const one = { name: 'one', files: { 'usr/share/doc/one/copyright': 'shared\n' } }
    const { root, statements } = await statementsOf(one, { name: 'two' }, { name: 'three' })
    symlinkSync('one', `${root}/usr/share/doc/two`)
    symlinkSync('missing', `${root}/usr/share/doc/three`)
    expect(statements().map(({ copyright }) => copyright)).toEqual(['shared\n', 'shared\n', undefined])
  })

  it('does not follow a link to a file of the builder', async () => {
    const { directory, root, statements } = await statementsOf({ name: 'one' })
    mkdirSync(`${root}/usr/share/doc/one`, { recursive: true })
    writeFileSync(`${directory}/mine`, 'mine\n')
    symlinkSync(`${directory}/mine`, `${root}/usr/share/doc/one/copyright`)
    expect(statements()[0]?.copyright).toBeUndefined()
  })
})
