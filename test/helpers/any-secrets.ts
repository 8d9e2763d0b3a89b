/** Texts in place of ciphertexts, for every secret. */
export const ANY_SECRETS: Readonly<Record<string, string>> = new Proxy<Record<string, string>>(
  {},
  { get: (_, name) => `ciphertext of ${String(name)}\n` },
)
