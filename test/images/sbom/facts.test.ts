import { describe, expect, it } from 'vitest'
import { factsOf } from '../../../images/sbom/facts.ts'
import type { PackageStatement } from '../../../images/sbom/statement.ts'

const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
const licensed = (licence: string) => `${FORMAT}\nFiles: *\nCopyright: 2020 Jane Doe\nLicense: ${licence}\n`

function stated(given: Partial<PackageStatement> = {}): PackageStatement {
  return { package: 'bash', version: '5.2-2+b10', architecture: 'arm64', ...given }
}

const factsAbout = (given: Partial<PackageStatement>) => factsOf([stated(given)]).packages[0]

describe('the source of a package', () => {
  it.each([
    [undefined, { name: 'bash', version: '5.2-2+b10' }],
    ['shells', { name: 'shells', version: '5.2-2+b10' }],
    ['bash (5.2-2)', { name: 'bash', version: '5.2-2' }],
    ['linux-signed-arm64 (7.3.4+1~bpo13+1)', { name: 'linux-signed-arm64', version: '7.3.4+1~bpo13+1' }],
  ])('the field %j gives the source %j', (source, wanted) => {
    expect(factsAbout({ source })?.source).toEqual(wanted)
  })
})

describe('the sources that are built into a package', () => {
  it('Built-Using and Static-Built-Using list the built-in sources of a package', () => {
    expect(
      factsAbout({
        builtUsing: 'glibc (= 2.41-12)',
        staticBuiltUsing: 'golang-1.24 (= 1.24.4-1),\n golang-dbus (= 5.1.0-1)',
      }),
    ).toMatchObject({
      builtUsing: [{ name: 'glibc', version: '2.41-12' }],
      linked: [
        { name: 'golang-1.24', version: '1.24.4-1' },
        { name: 'golang-dbus', version: '5.1.0-1' },
      ],
    })
  })

  it('a package without these fields has no built-in sources', () => {
    expect(factsAbout({})).toMatchObject({ builtUsing: [], linked: [] })
  })
})

describe('the licence of a package', () => {
  it('reads the licence of a package from its copyright file', () => {
    expect(factsAbout({ copyright: licensed('Expat') })?.licence).toBe('MIT')
    expect(factsAbout({ copyright: 'Under the GPL.\n' })?.licence).toBeUndefined()
    expect(factsAbout({})?.licence).toBeUndefined()
  })

  it.each(['first', 'last'])(
    'reads the licence from the %s statement if only that one has a copyright file',
    (place) => {
      const both = [stated({ copyright: licensed('Expat') }), stated()]
      const { packages } = factsOf(place === 'first' ? both : both.reverse())
      expect(packages.map(({ licence }) => licence)).toEqual(['MIT'])
    },
  )

  it('adds the licence texts that a licence refers to, sorted and without duplicates', () => {
    const { licences } = factsOf([
      stated({ copyright: licensed('zebra\n Z.') }),
      stated({ package: 'dash', copyright: licensed('apple\n A.') }),
      stated({ package: 'zsh', copyright: licensed('zebra\n Z.') }),
    ])
    expect(licences.map(({ name }) => name)).toEqual(['apple', 'zebra'])
  })

  it('keeps licences separate for each version and architecture', () => {
    const { packages } = factsOf([stated(), stated({ version: '5.3-1' }), stated({ architecture: 'amd64' })])
    expect(packages).toHaveLength(3)
  })
})
