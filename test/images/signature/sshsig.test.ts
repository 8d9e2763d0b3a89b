import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { signText, verifyText } from '../../../images/signature/sshsig.ts'
import { GOLDEN_PUBLIC_LINE, GOLDEN_SEED } from '../../helpers/golden-key.ts'
import { HAS_SSH_KEYGEN, sshKeygen } from '../../helpers/ssh-keygen.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const TEXT = '{"format":1}\n'
const key = keyFromSeed(GOLDEN_SEED, 'RFC 8032, test 1')
const other = keyFromSeed(Buffer.alloc(32, 7), 'other')

// Signatures of TEXT with the golden key by OpenSSH 9.2: ssh-keygen -Y sign -n hangar -f KEY FILE. The names of the
// other signatures say what differs.
const GOLDEN = armor(`
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg11qYAYKxCrfVS/7TyWQHOg7hcv
PapiMlrwIaaPcHURoAAAAGaGFuZ2FyAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1
NTE5AAAAQE0eAaa6hHCzLiQRILGTcvJeYRkuyP4/On14SDUtoDdGeV7gfZesrAHpAipBOZ
YN1QCqoAhPrpovJeokNDGlPwo=`)
const FOR_FILES = armor(`
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg11qYAYKxCrfVS/7TyWQHOg7hcv
PapiMlrwIaaPcHURoAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAEBQ0KMHbK2ZD+DNFu9rA9qafbKSyZtEGjWSkOVARFv6LosxODTapky1A6hguUefnJ
nmA55CHLJzGhv6FpxU3BoJ`)
const WITH_SHA256 = armor(`
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg11qYAYKxCrfVS/7TyWQHOg7hcv
PapiMlrwIaaPcHURoAAAAGaGFuZ2FyAAAAAAAAAAZzaGEyNTYAAABTAAAAC3NzaC1lZDI1
NTE5AAAAQI1p0FWicd35lE66j7VN7lDiNNE3F20bYr7m/O5yUqk2HxoUtPL35FO3uDMcM1
6UcpnVsMeKL7DcID+NbO23GQA=`)
const BY_ECDSA = armor(`
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEcIh35PCbFIRsKl/F8YbZvfiSP2KQT7tkejEgIVniR4rSUOdhIF3AARss5xiUZ+OTyTip
0LeplWOOpqb7+kdPrAAAAAZoYW5nYXIAAAAAAAAABnNoYTUxMgAAAGQAAAATZWNkc2Etc2
hhMi1uaXN0cDI1NgAAAEkAAAAhAOlprrB+ktMoji0+6Gf2nmBM3fZ4aukYkJD1dJdoP6Xp
AAAAIHoqo3NGUeJh1LKtoS+f2hAjCEW4CwdkCAH9Ul4VT4+n`)

function armor(body: string): string {
  return `-----BEGIN SSH SIGNATURE-----${body}\n-----END SSH SIGNATURE-----\n`
}

const refusal = (reason: string) =>
  expect.objectContaining({
    code: 'signature',
    message: expect.stringContaining(`the signature is invalid: ${reason}`),
    hint: 'do not flash this image; build it again and sign it with a key that the host trusts',
  })

describe('signText', () => {
  it('signs a text with the same bytes as ssh-keygen', () => {
    expect(signText(TEXT, key)).toBe(GOLDEN)
  })
})

describe('verifyText', () => {
  it('returns the trusted key that signed the text', () => {
    const trusted = ['ssh-ed25519 AAAAother someone', GOLDEN_PUBLIC_LINE]
    expect(verifyText(TEXT, GOLDEN, trusted)).toBe(GOLDEN_PUBLIC_LINE)
  })

  it('refuses a signature if any byte of the text differs', () => {
    for (let at = 0; at < TEXT.length; at++) {
      const flipped = Buffer.from(TEXT)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      expect(() => verifyText(flipped.toString(), GOLDEN, [GOLDEN_PUBLIC_LINE])).toThrow(
        refusal('the signed text was different'),
      )
    }
  })

  it('refuses a signature if any byte of it differs', () => {
    const bytes = Buffer.from(GOLDEN.replace(/-----.*-----/g, ''), 'base64')
    const accepted = [...bytes.keys()].filter((at) => {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      return accepts(armor(`\n${flipped.toString('base64')}`))
    })
    expect(accepts(armor(`\n${bytes.toString('base64')}`))).toBe(true)
    expect(accepted).toEqual([])
  })

  it('refuses a signature that is truncated at any position', () => {
    const bytes = Buffer.from(GOLDEN.replace(/-----.*-----/g, ''), 'base64')
    const accepted = [...bytes.keys()].filter((end) => accepts(armor(`\n${bytes.toString('base64', 0, end)}`)))
    expect(accepted).toEqual([])
  })

  it.each([
    ['by a key that is not trusted', signText(TEXT, other), "its key is not trusted: 'ssh-ed25519 AAAA"],
    ['in another namespace', FOR_FILES, "its namespace is 'file', expected 'hangar'"],
    ['with another hash algorithm', WITH_SHA256, "its hash algorithm is 'sha256', expected 'sha512'"],
    ['by a key of another type', BY_ECDSA, 'its key is not of type ssh-ed25519'],
    ['without signature markers', 'unsigned', 'it is not an OpenSSH signature'],
    ['of another version', GOLDEN.replace('U1NIU0lHAAAAAQ', 'U1NIU0lHAAAAAg'), 'its version is unknown'],
  ])('refuses a signature %s', (_what, signature, reason) => {
    expect(() => verifyText(TEXT, signature, [GOLDEN_PUBLIC_LINE])).toThrow(refusal(reason))
  })

  it('refuses every signature if no key is trusted', () => {
    expect(() => verifyText(TEXT, GOLDEN, [])).toThrow(refusal('its key is not trusted'))
  })
})

describe.skipIf(!HAS_SSH_KEYGEN)('ssh-keygen -Y verify and a signature of hangar', () => {
  it.each([
    ['accepts a signature by hangar', TEXT, 0],
    ['refuses the same signature for another text', TEXT.replace('1', '2'), 255],
  ])('ssh-keygen %s', async (_what, text, status) => {
    const directory = await tempDirectory()
    const [signers, signature] = [join(directory, 'signers'), join(directory, 'signature')]
    writeFileSync(signers, `owner namespaces="hangar" ${GOLDEN_PUBLIC_LINE}\n`)
    writeFileSync(signature, signText(TEXT, key))
    const verify = ['-Y', 'verify', '-f', signers, '-I', 'owner', '-n', 'hangar', '-s', signature]
    expect(sshKeygen(verify, text).status).toBe(status)
  })
})

/** Returns false for a UserError. Any other error is a bug and fails the test. */
function accepts(signature: string): boolean {
  try {
    verifyText(TEXT, signature, [GOLDEN_PUBLIC_LINE])
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'UserError') return false
    throw error
  }
}
