/** One value of DER (X.690): its tag, and where its content begins and ends. */
interface Value {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const [INTEGER, OCTET_STRING, OBJECT_ID, SEQUENCE] = [0x02, 0x04, 0x06, 0x30]

/** Beginnings of the algorithms that encrypt a private key: PKCS #5 and PKCS #12. */
const PASSWORD_ALGORITHMS = ['2a864886f70d0105', '2a864886f70d010c01']
/** Bags of PKCS #12 with a private key (RFC 7292): keyBag and pkcs8ShroudedKeyBag. */
const KEY_BAGS = ['060b2a864886f70d010c0a0101', '060b2a864886f70d010c0a0102'].map((hex) => Buffer.from(hex, 'hex'))

/** The kind of private key that a whole file is in DER; undefined if it is none. */
export function derKeyIn(bytes: Buffer): string | undefined {
  const whole = valueAt(bytes, 0, bytes.length)
  if (whole?.tag !== SEQUENCE || whole.end !== bytes.length) return undefined
  const parts = valuesIn(bytes, whole)
  const version = smallInteger(bytes, parts[0])
  const tags = parts.map(({ tag }) => tag)
  const encryption = algorithmIn(bytes, parts[0])
  if (PASSWORD_ALGORITHMS.some((each) => encryption?.startsWith(each)) && tags.length === 2 && tags[1] === OCTET_STRING)
    return 'an encrypted private key'
  if (version === undefined) return undefined
  if (algorithmIn(bytes, parts[1]) !== undefined && tags[2] === OCTET_STRING) return 'a private key (PKCS #8)'
  if (tags.length >= 6 && tags.every((tag, at) => tag === INTEGER || at === 9)) return 'an RSA or DSA private key'
  if (version === 1 && tags[1] === OCTET_STRING) return 'an EC private key'
  if (version === 3 && KEY_BAGS.some((bag) => bytes.includes(bag))) return 'a PKCS #12 file with a private key'
  return undefined
}

/** The object id of an algorithm, as hexadecimal digits; undefined for another value. */
function algorithmIn(bytes: Buffer, value: Value | undefined): string | undefined {
  if (value?.tag !== SEQUENCE) return undefined
  const id = valueAt(bytes, value.start, value.end)
  return id?.tag === OBJECT_ID ? bytes.toString('hex', id.start, id.end) : undefined
}

function smallInteger(bytes: Buffer, value: Value | undefined): number | undefined {
  return value?.tag === INTEGER && value.end - value.start === 1 ? bytes[value.start] : undefined
}

/** The values in a sequence; none if they do not fill it. */
function valuesIn(bytes: Buffer, { start, end }: Value): Value[] {
  const found: Value[] = []
  for (let at = start; at < end; ) {
    const value = valueAt(bytes, at, end)
    if (value === undefined) return []
    found.push(value)
    at = value.end
  }
  return found
}

function valueAt(bytes: Buffer, at: number, limit: number): Value | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || first === undefined || at + 2 > limit) return undefined
  const count = first < 0x80 ? 0 : first - 0x80
  if (count > 4 || (first >= 0x80 && count === 0) || at + 2 + count > limit) return undefined
  const start = at + 2 + count
  const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
  return start + length > limit ? undefined : { tag, start, end: start + length }
}
