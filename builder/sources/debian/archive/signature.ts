/** The error for a signed text that hangar does not trust. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError'
}

/**
 * Verifies an OpenPGP clear-signed message (RFC 9580, section 7) and returns the signed text. One key of the keyring must
 * have signed it. Signatures of other keys are ignored, and so is text outside the signed part.
 *
 * @param keyring armored public keys
 * @param now     the time at which the key has to be valid
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
      // Refuses expired archive keys. openpgp would accept a signature that an expired key made before it expired.
      const [signer] = keys.filter((key) => key.getKeys(keyID).length > 0)
      await signer?.getSigningKey(keyID, now)
      if (signer !== undefined) return data
    } catch (error) {
      reasons.push(`${keyID.toHex()}: ${(error as Error).message}`)
    }
  }
  throw new SignatureError(`no good signature by a known key (${reasons.join('; ') || 'no signature at all'})`)
}
