export interface SmallElf {
  readonly interpreter?: string | undefined
  readonly needed?: readonly string[]
  readonly runpath?: string | undefined
  /** e_machine: 183 is arm64. */
  readonly machine?: number
}

const [LOAD, DYNAMIC, INTERP] = [1, 2, 3]
const [NEEDED, STRTAB, STRSZ, RUNPATH] = [1, 5, 10, 29]
const HEADER = 64
const ENTRY = 56
/** Addresses differ from file offsets, as in real programs. */
const BASE = 0x10000

/** The bytes of an ELF file (elf(5)) that only the dynamic loader can read: it has no code. */
export function smallElf({ interpreter, needed = [], runpath, machine = 183 }: SmallElf): Buffer {
  const strings = Buffer.from(
    `\0${[...needed, ...(runpath === undefined ? [] : [runpath])].map((each) => `${each}\0`).join('')}`,
  )
  const offsetOf = (text: string) => strings.indexOf(`\0${text}\0`) + 1
  const interp = Buffer.from(interpreter === undefined ? '' : `${interpreter}\0`)
  const count = interpreter === undefined ? 2 : 3
  const [interpAt, stringsAt] = [HEADER + count * ENTRY, HEADER + count * ENTRY + interp.length]
  const dynamic = words([
    ...needed.flatMap((each) => [NEEDED, offsetOf(each)]),
    ...(runpath === undefined ? [] : [RUNPATH, offsetOf(runpath)]),
    ...[STRTAB, BASE + stringsAt, STRSZ, strings.length, 0, 0],
  ])
  const dynamicAt = stringsAt + strings.length
  const segment = (type: number, at: number, size: number) =>
    Buffer.concat([words32([type, 4]), words([at, BASE + at, BASE + at, size, size, 8])])
  const header = Buffer.alloc(HEADER)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(3, 16)
  header.writeUInt16LE(machine, 18)
  header.writeBigUInt64LE(BigInt(HEADER), 32)
  header.writeUInt16LE(ENTRY, 54)
  header.writeUInt16LE(count, 56)
  return Buffer.concat([
    header,
    segment(LOAD, 0, dynamicAt + dynamic.length),
    segment(DYNAMIC, dynamicAt, dynamic.length),
    ...(interpreter === undefined ? [] : [segment(INTERP, interpAt, interp.length)]),
    interp,
    strings,
    dynamic,
  ])
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8)
  return bytes
}

function words32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4)
  return bytes
}
