import { UserError } from '../../errors.ts'
import { type Generation, isKept, type KeptGeneration } from './record.ts'

/** Which generations of a host may go: those that neither clause keeps. Pinned ones never do. */
export interface Retention {
  /** So many of the newest of each host stay; at least one. */
  readonly keep: number
  /** Milliseconds: younger ones stay too. */
  readonly olderThan: number
}

const DEFAULT_KEEP = 5
const HOUR = 3_600_000
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR }

/** `--keep 3`, `--older-than 30d`, as they are typed. */
export function parseRetention(flags: { readonly keep?: string; readonly olderThan?: string }): Retention {
  return {
    keep: flags.keep === undefined ? DEFAULT_KEEP : parseKeep(flags.keep),
    olderThan: flags.olderThan === undefined ? 0 : parseAge(flags.olderThan),
  }
}

function parseKeep(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new UserError('usage', `cannot keep '${text}' generations: wanted a number from 1`, {
    hint: 'the newest one always stays: --keep 1',
  })
}

function parseAge(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const milliseconds = UNITS[unit]
  if (number !== undefined && milliseconds !== undefined) return Number(number) * milliseconds
  throw new UserError('usage', `not an age: '${text}'`, { hint: 'wanted hours, days or weeks: 12h, 30d, 8w' })
}

export interface Chosen {
  readonly stay: readonly KeptGeneration[]
  readonly go: readonly KeptGeneration[]
}

/** What of a host's generations stays and what goes. Those of which only the name is left are neither. */
export function choose(
  generations: readonly Generation[],
  pinned: ReadonlySet<number>,
  { keep, olderThan }: Retention,
  now: Date,
): Chosen {
  const kept = generations.filter(isKept).sort((a, b) => b.number - a.number)
  const stays = ({ number, built }: KeptGeneration, at: number) =>
    pinned.has(number) || at < Math.max(1, keep) || now.getTime() - Date.parse(built) < olderThan
  return { stay: kept.filter(stays), go: kept.filter((each, at) => !stays(each, at)) }
}
