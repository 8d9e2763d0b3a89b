import { UserError } from '../../errors.ts'
import { type Generation, isKept, type KeptGeneration } from './record.ts'

/** Which generations `gc` keeps in addition to pinned generations. */
export interface Retention {
  /** How many of the newest generations of each host `gc` keeps; at least 1. */
  readonly keep: number
  /** An age in milliseconds: `gc` also keeps all younger generations. */
  readonly olderThan: number
}

const DEFAULT_KEEP = 5
const HOUR = 3_600_000
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR }

/** Parses `--keep 3` and `--older-than 30d`. */
export function parseRetention(flags: { readonly keep?: string; readonly olderThan?: string }): Retention {
  return {
    keep: flags.keep === undefined ? DEFAULT_KEEP : parseKeep(flags.keep),
    olderThan: flags.olderThan === undefined ? 0 : parseAge(flags.olderThan),
  }
}

function parseKeep(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new UserError('usage', `invalid value '${text}' for --keep: wanted a number from 1`, {
    hint: 'keep only the newest generation: --keep 1',
  })
}

function parseAge(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const milliseconds = UNITS[unit]
  if (number !== undefined && milliseconds !== undefined) return Number(number) * milliseconds
  throw new UserError('usage', `invalid value '${text}' for --older-than: wanted hours, days or weeks`, {
    hint: 'for example: --older-than 12h, --older-than 30d, --older-than 8w',
  })
}

export interface Chosen {
  readonly stay: readonly KeptGeneration[]
  readonly go: readonly KeptGeneration[]
}

/** Divides the generations of a host into the ones that `gc` keeps and the ones that it deletes. */
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
