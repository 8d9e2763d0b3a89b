import { describe, expect, it } from 'vitest'
import { responsibleFor } from '../../../../images/layers/base/responsible.ts'

const deb = (name: string, files: readonly string[], postinst = '') => ({
  fields: new Map([['Package', name]]),
  files: ['/.', '/usr', '/usr/lib', ...files],
  control: new Map([['postinst', Buffer.from(postinst)]]),
})

const DEBS = [
  deb('cups', ['/usr/lib/cups', '/usr/lib/cups/backend-available']),
  deb('filters', ['/usr/lib/cups']),
  deb('java', ['/usr/lib/jvm'], 'java -Xshare:dump\ntouch /usr/lib/odd-one\n'),
]

describe('responsibleFor', () => {
  it('names the package whose script names the path, even in a directory of another package', () => {
    const maker = deb('maker', [], 'umask 077; gen > /usr/lib/cups/größe.key\n')
    expect(responsibleFor('/usr/lib/cups/größe.key', [...DEBS, maker])).toEqual(['maker'])
  })

  it('names the packages that ship the nearest directory above', () => {
    expect(responsibleFor('/usr/lib/cups/backend-available/usb', DEBS)).toEqual(['cups'])
    expect(responsibleFor('/usr/lib/cups/new/deep/file', DEBS)).toEqual(['cups', 'filters'])
  })

  it('names the package whose script has the name of the file, in a directory of many packages', () => {
    expect(responsibleFor('/usr/lib/odd-one', DEBS)).toEqual(['java'])
    expect(responsibleFor('/odd-one', DEBS)).toEqual(['java'])
  })

  it('names none if every package could have made it', () => {
    expect(responsibleFor('/usr/lib/unknown', [...DEBS, deb('more', []), deb('others', [])])).toEqual([])
  })
})
