import { closeSync, openSync, readSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'

/** The parts of a program or library that the dynamic loader needs. */
export interface Elf {
  /** Undefined for an architecture that hangar does not support. */
  readonly architecture: Architecture | undefined
  /** The path of the dynamic loader; a static program has none. */
  readonly interpreter: string | undefined
  /** The names of the libraries: `libc.so.6`. */
  readonly needed: readonly string[]
  /** The directories of DT_RUNPATH or DT_RPATH, which may contain `$ORIGIN`. */
  readonly runpath: readonly string[]
}

const MACHINES: Readonly<Record<number, Architecture>> = { 62: 'amd64', 183: 'arm64' }
const [LOAD, DYNAMIC, INTERP] = [1, 2, 3]
const [NEEDED, STRTAB, STRSZ, RPATH, RUNPATH] = [1, 5, 10, 15, 29]

/** Reads the ELF header of a file (elf(5)). Undefined for a file in another format. */
export function readElf(path: string): Elf | undefined {
  const file = openSync(path, 'r')
  try {
    return parseElf((offset, size) => {
      const bytes = Buffer.alloc(size)
      return bytes.subarray(0, readSync(file, bytes, 0, size, offset))
    })
  } finally {
    closeSync(file)
  }
}

type Read = (offset: number, size: number) => Buffer

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

function parseElf(read: Read): Elf | undefined {
  const head = read(0, 64)
  if (head.length < 20 || head.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  // Both architectures are 64-bit and little-endian.
  const isNative = head[4] === 2 && head[5] === 1
  if (!isNative) return { architecture: undefined, interpreter: undefined, needed: [], runpath: [] }
  const segments = segmentsOf(head, read)
  const interp = segments.find(({ type }) => type === INTERP)
  return {
    architecture: MACHINES[head.readUInt16LE(18)],
    interpreter: interp && text(read(interp.offset, interp.size), 0),
    ...dynamicOf(segments, read),
  }
}

function segmentsOf(head: Buffer, read: Read): Segment[] {
  const [size, count] = [head.readUInt16LE(54), head.readUInt16LE(56)]
  const table = read(Number(head.readBigUInt64LE(32)), size * count)
  return Array.from({ length: count }, (_, index) => {
    const at = (field: number) => Number(table.readBigUInt64LE(index * size + field))
    return { type: table.readUInt32LE(index * size), offset: at(8), address: at(16), size: at(32) }
  })
}

function dynamicOf(segments: readonly Segment[], read: Read): Pick<Elf, 'needed' | 'runpath'> {
  const dynamic = segments.find(({ type }) => type === DYNAMIC)
  if (dynamic === undefined) return { needed: [], runpath: [] }
  const table = read(dynamic.offset, dynamic.size)
  const entries = Array.from({ length: Math.floor(table.length / 16) }, (_, index) => ({
    tag: Number(table.readBigInt64LE(index * 16)),
    value: Number(table.readBigUInt64LE(index * 16 + 8)),
  }))
  const numberOf = (wanted: number) => entries.find(({ tag }) => tag === wanted)?.value
  const strings = read(fileOffset(numberOf(STRTAB) ?? 0, segments), numberOf(STRSZ) ?? 0)
  const texts = (wanted: number) => entries.filter(({ tag }) => tag === wanted).map(({ value }) => text(strings, value))
  const [runpath = texts(RPATH)] = [texts(RUNPATH)].filter((found) => found.length > 0)
  return { needed: texts(NEEDED), runpath: runpath.flatMap((list) => list.split(':')) }
}

function fileOffset(address: number, segments: readonly Segment[]): number {
  const within = segments.find(
    (each) => each.type === LOAD && each.address <= address && address < each.address + each.size,
  )
  return within === undefined ? address : address - within.address + within.offset
}

function text(bytes: Buffer, from: number): string {
  const end = bytes.indexOf(0, from)
  return bytes.toString('utf8', from, end < 0 ? bytes.length : end)
}
