/** Says why a text is not to be believed. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError'
}

/**
 * The text inside an OpenPGP clear-signed message (RFC 9580, 7), once one of the keyring's keys has signed it; what
 * stands around the signed part is left out. Signatures by other keys do not count, for or against.
 *
 * @param keyring armored public keys
 * @param now     when keys have to be valid and signatures made
 */
export async function verifyClearSigned(message: string, keyring: string, now: Date): Promise<string> {
  const openpgp = await import('openpgp')
  const keys = await openpgp.readKeys({ armoredKeys: keyring })
  const signed = await openpgp.readCleartextMessage({ cleartextMessage: message }).catch((cause: Error) => {
    throw new SignatureError(`not a signed text: ${cause.message}`, { cause })
  })
  const { data, signatures } = await openpgp.verify({ message: signed, verificationKeys: keys, date: now })
  const reasons: string[] = []
  for (const { keyID, verified } of signatures) {
    try {
      await verified
      // A signature outlives its key in openpgp's eyes; an archive key that has expired must not vouch for anything new.
      const [signer] = keys.filter((key) => key.getKeys(keyID).length > 0)
      await signer?.getSigningKey(keyID, now)
      if (signer !== undefined) return data
    } catch (error) {
      reasons.push(`${keyID.toHex()}: ${(error as Error).message}`)
    }
  }
  throw new SignatureError(`no good signature by a known key (${reasons.join('; ') || 'no signature at all'})`)
}
