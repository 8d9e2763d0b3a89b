import { isWebPage } from '../../../../lib/download.ts'

/** The error for a server that sends no release of Debian. */
export class NotDebianError extends Error {
  override readonly name = 'NotDebianError'
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----'
const END = '-----END PGP SIGNATURE-----'

/** The text, if it has the form of a signed release. Login pages, error pages and empty answers come with HTTP 200, too. */
export function checkForm(text: string, type: string | undefined): string {
  if (text.includes(BEGIN) && text.includes(END)) return text
  const size = Buffer.byteLength(text)
  if (text.trim() === '') throw new NotDebianError(`sent no release file: an empty answer (${size} bytes)`)
  if (text.includes(BEGIN)) throw new NotDebianError(`sent the beginning of a release file only (${size} bytes)`)
  const what = isWebPage(type) || /^\s*<(!doctype html|html)/i.test(text) ? 'a web page' : 'another text'
  const named = type === undefined ? '' : ` of type '${type}'`
  throw new NotDebianError(
    `sent no release file: ${what}${named} (${size} bytes) that begins with '${beginning(text)}'`,
  )
}

function beginning(text: string): string {
  return text
    .slice(0, 200)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 60)
}
