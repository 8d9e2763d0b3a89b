import { createHash } from 'node:crypto'
import { BLOCK } from '../../images/layout.ts'

/** Offsets of the two copies of the record in the identity partition (docs/agent-protocol.md). */
export const RECORD_PLACES = [8 * 2 ** 20, 24 * 2 ** 20] as const

export type RecordText = Readonly<Record<string, string>>

/** One copy of the record in its format on disk. */
export function recordBlock(sequence: number, keys: RecordText): Buffer {
  const lines = Object.entries(keys).map(([key, value]) => `${key} ${value}\n`)
  const text = `hangar-record 1\nsequence ${sequence}\n${lines.join('')}`
  const block = Buffer.alloc(BLOCK)
  block.write(`${text}sha256 ${createHash('sha256').update(text).digest('hex')}\n`)
  return block
}

export interface ReadRecord {
  readonly sequence: number
  readonly keys: RecordText
}

/** The newest undamaged copy. */
export function readRecord(identity: Buffer): ReadRecord | undefined {
  const copies = RECORD_PLACES.flatMap((place) => parseCopy(identity.subarray(place, place + BLOCK)) ?? [])
  return copies.sort((a, b) => b.sequence - a.sequence)[0]
}

function parseCopy(block: Buffer): ReadRecord | undefined {
  const [, text = '', digest] = /^(hangar-record 1\n[\s\S]*\n)sha256 ([0-9a-f]{64})\n\0*$/.exec(block.toString()) ?? []
  if (digest !== createHash('sha256').update(text).digest('hex')) return undefined
  const [, sequence = '', ...lines] = text.slice(0, -1).split('\n')
  const pair = (line: string) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
  return { sequence: Number(sequence.split(' ')[1]), keys: Object.fromEntries(lines.map(pair)) }
}
