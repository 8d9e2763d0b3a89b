import { describe, expect, it } from 'vitest'
import { debPurl, sourcePurl } from '../../../images/sbom/purl.ts'
import { lockedPackage } from '../../helpers/derivation.ts'

describe('a package URL', () => {
  it('a package URL has the architecture and the release of the package', () => {
    const curl = lockedPackage('curl', { version: '7.50.3-1', suite: 'trixie-security' })
    expect(debPurl(curl, { name: 'curl', version: '7.50.3-1' })).toBe(
      'pkg:deb/debian/curl@7.50.3-1?arch=arm64&distro=trixie',
    )
  })

  it('a package URL has the source package if its name or version differs', () => {
    const attr = lockedPackage('libattr1', { version: '1:2.4.47-2+b1' })
    expect(debPurl(attr, { name: 'attr', version: '1:2.4.47-2' })).toBe(
      'pkg:deb/debian/libattr1@1:2.4.47-2%2Bb1?arch=arm64&distro=trixie&upstream=attr%401:2.4.47-2',
    )
  })

  it('the package URL of a source package has the architecture source', () => {
    expect(sourcePurl({ name: 'g++', version: '1~rc1' })).toBe('pkg:deb/debian/g%2B%2B@1~rc1?arch=source')
  })
})
