/** The operator of a version relation, as in `foo (>= 1.2)`. */
export type VersionOperator = '<<' | '<=' | '=' | '>=' | '>>'

/**
 * Compares two Debian versions by deb-version(7). Negative if `a` is older, 0 if dpkg treats them as equal (`1.0` and
 * `0:1.0-0`). The order of parts is epoch, upstream version, revision; each part alternates between non-digits and digits.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const left = splitVersion(a)
  const right = splitVersion(b)
  return (
    compareDigits(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  )
}

/** Removes the binNMU number (`1.0-1+b2`). Each architecture has its own number for the same source. */
export function withoutRebuild(version: string): string {
  return version.replace(/\+b\d+$/, '')
}

/** Whether `version` satisfies `(operator wanted)`. */
export function satisfies(version: string, operator: VersionOperator, wanted: string): boolean {
  const order = compareVersions(version, wanted)
  if (operator === '<<') return order < 0
  if (operator === '<=') return order <= 0
  if (operator === '=') return order === 0
  return operator === '>=' ? order >= 0 : order > 0
}

function splitVersion(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? '' : version.slice(0, colon),
    upstream: hyphen === -1 ? rest : rest.slice(0, hyphen),
    revision: hyphen === -1 ? '' : rest.slice(hyphen + 1),
  }
}

function comparePart(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while (isText(a, i) || isText(b, j)) {
      const order = weight(a, i) - weight(b, j)
      if (order !== 0) return order
      i += 1
      j += 1
    }
    const left = digits(a, i)
    const right = digits(b, j)
    const order = compareDigits(left, right)
    if (order !== 0) return order
    i += left.length
    j += right.length
  }
  return 0
}

/** Compares numbers of any length: dpkg has no limit. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '')
  const right = b.replace(/^0+/, '')
  if (left.length !== right.length) return left.length - right.length
  return left < right ? -1 : left > right ? 1 : 0
}

function digits(text: string, from: number): string {
  let to = from
  while (isDigit(text.charCodeAt(to))) to += 1
  return text.slice(from, to)
}

function isText(text: string, at: number): boolean {
  return at < text.length && !isDigit(text.charCodeAt(at))
}

/**
 * The sort order of a character: first the tilde, then the end of the text or a digit, then letters, then all other
 * characters.
 */
function weight(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (Number.isNaN(code) || isDigit(code)) return 0
  if (code === 0x7e) return -1
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
  return letter ? code : code + 256
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
