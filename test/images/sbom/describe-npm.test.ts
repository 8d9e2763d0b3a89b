import parse from 'spdx-expression-parse'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../images/digest.ts'
import type { NpmPackage } from '../../../images/npm/npm-package.ts'
import { describeNpm, npmIds } from '../../../images/sbom/describe-npm.ts'
import { npmLicence } from '../../../images/sbom/npm-licence.ts'
import { npmPurl } from '../../../images/sbom/purl.ts'
import { testIntegrity } from '../../helpers/npm-lock.ts'

const npmPackage = (name: string, given: Partial<NpmPackage> = {}): NpmPackage => ({
  ...{ source: 'npm', package: name, version: '1.0.0', path: '', size: 1, sha256: digestOf(name) },
  ...{ integrity: testIntegrity(name), locations: [`node_modules/${name}`], bin: {}, license: 'MIT', node: undefined },
  ...{ use: 'direct', bundled: [], ...given },
})

describe('npm packages in the SBOM', () => {
  it('have a package URL, a licence, the integrity and the SHA-256', () => {
    const { packages } = describeNpm([npmPackage('@lab/app')])
    expect(packages).toMatchObject([
      {
        ...{ name: '@lab/app', versionInfo: '1.0.0', licenseDeclared: 'MIT', downloadLocation: 'NOASSERTION' },
        checksums: [
          { algorithm: 'SHA256', checksumValue: digestOf('@lab/app') },
          { algorithm: 'SHA512', checksumValue: expect.stringMatching(/^[0-9a-f]{128}$/) },
        ],
        externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/%40lab/app@1.0.0' }],
      },
    ])
  })

  it('include the packages inside tarballs, each package once', () => {
    const bundled = [{ package: 'inside', version: '2.0.0', license: undefined }]
    const all = [npmPackage('a', { bundled }), npmPackage('b', { bundled }), npmPackage('a', { bundled })]
    const { packages } = describeNpm(all)
    expect(packages.map(({ name }) => name)).toEqual(['a', 'inside', 'b'])
    expect(packages[1]).not.toHaveProperty('checksums')
    expect(new Set(npmIds(all))).toEqual(new Set(packages.map(({ SPDXID }) => SPDXID)))
  })

  it('keep packages of two registries apart that have one name and version', () => {
    const { packages } = describeNpm([npmPackage('a'), npmPackage('a', { integrity: testIntegrity('other') })])
    expect(new Set(packages.map(({ SPDXID }) => SPDXID)).size).toBe(2)
  })

  it('encode what package URLs reserve', () => {
    expect(npmPurl('a', '1.0.0+build')).toBe('pkg:npm/a@1.0.0%2Bbuild')
  })
})

describe('npmLicence', () => {
  it.each(['MIT', '(MIT OR GPL-2.0)', 'MIT AND (Apache-2.0 OR ISC)', 'BlueOak-1.0.0', '0BSD'])('keeps %j', (text) => {
    expect(npmLicence(text)).toEqual({ expression: text })
    expect(() => parse(text)).not.toThrow()
  })

  it.each([
    'SEE LICENSE IN LICENSE.md',
    'UNLICENSED',
    'BSD',
    'MIT OR',
    '(MIT',
    'MIT MIT',
    'Apache 2.0',
    'id',
    'MIT and ISC',
    '() MIT',
  ])('keeps the words of %j as a licence of its own', (text) => {
    const { expression, other } = npmLicence(text)
    expect(expression).toMatch(/^LicenseRef-[A-Za-z0-9.-]+$/)
    expect(other).toMatchObject({ licenseId: expression, name: text })
    expect(() => parse(expression)).not.toThrow()
  })

  it('asserts nothing for a package without licence', () => {
    for (const none of [undefined, '', ' ']) expect(npmLicence(none)).toEqual({ expression: 'NOASSERTION' })
  })
})
