import { randomBytes, randomInt } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { certificatesIn } from '../../../builder/certificates/certificate.ts'
import type { Signer } from '../../../builder/certificates/x509.ts'
import { type IpAddress, parseIpAddress } from '../../../images/ip-address.ts'
import { parseDomainName } from '../../../images/names.ts'
import { foreignAuthority, issuedBy } from '../../helpers/mtls.ts'

const pick = <Item>(items: readonly Item[]): Item => items[randomInt(items.length)] as Item
const times = <Item>(most: number, make: () => Item) => [...new Set(Array.from({ length: randomInt(most + 1) }, make))]

function randomDomain(): string {
  const character = () => pick([...'abcxyz0189-'])
  const label = () => `a${times(20, character).join('')}9`
  return parseDomainName([label(), ...times(3, label), 'lab'].join('.'))
}

/** An address with runs of zeros, which have several spellings in IPv6. */
function randomAddress(): IpAddress {
  if (randomInt(2) === 0) return parseIpAddress([...randomBytes(4)].join('.'))
  const groups = Array.from({ length: 7 }, () => pick(['0', '0', randomBytes(2).toString('hex')]))
  return parseIpAddress(['fd00', ...groups].join(':'))
}

describe('the names of a certificate', () => {
  let signer: Signer
  beforeAll(async () => {
    signer = await foreignAuthority()
  })

  it('are read as they were written, so that the next build does not issue the certificate again', async () => {
    for (let round = 0; round < 30; round += 1) {
      const names = { dns: times(6, randomDomain).sort(), addresses: times(6, randomAddress).sort() }
      const { cert } = await issuedBy(signer, 'test', { names })
      expect(certificatesIn(cert, 'test')[0]?.names).toEqual(names)
    }
  })
})
