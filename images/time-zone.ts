import { UserError } from '../errors.ts'
import { FORMER_ZONES, ZONES } from './debian/time-zones.ts'
import { nearest } from './nearest.ts'
import { quoted } from './quoted.ts'

/** A time zone that the image has: the name of a file in /usr/share/zoneinfo. */
export type TimeZone = string & { readonly brand: 'TimeZone' }

/** The names of all time zones of an image. */
export const TIME_ZONES: readonly string[] = ZONES.trim().split(/\s+/)

/** Former name of a time zone -> its name in an image. */
export const FORMER_TIME_ZONES: ReadonlyMap<string, string> = new Map(
  FORMER_ZONES.trim()
    .split(/\s+/)
    .map((pair) => pair.split('=') as [string, string]),
)

/** Parses a time zone. With another name, /etc/localtime would be a dangling link, and the host would silently use UTC. */
export function parseTimeZone(text: string): TimeZone {
  if (TIME_ZONES.includes(text)) return text as TimeZone
  const current = FORMER_TIME_ZONES.get(text)
  if (current !== undefined)
    throw new UserError('host', `${quoted(text)} is a former name of a time zone, and the image does not have it`, {
      hint: `use '${current}', which has the same time`,
    })
  const meant = similarZone(text)
  const guess = meant === undefined ? '' : `; did you mean '${meant}'?`
  throw new UserError('host', `no time zone has the name ${quoted(text)}, wanted one such as 'Europe/Zurich'${guess}`, {
    hint: 'https://en.wikipedia.org/wiki/List_of_tz_database_time_zones lists the names',
  })
}

/** The name in an image for the most similar name, which may be a former one. */
function similarZone(text: string): string | undefined {
  // The longest name has 32 characters, and the distance to a long text takes long to compute.
  if (text.length > 40) return undefined
  const known = [...TIME_ZONES, ...FORMER_TIME_ZONES.keys()]
  const sameLetters = known.find((each) => each.toLowerCase() === text.toLowerCase())
  const found = sameLetters ?? nearest(text, known)
  return found === undefined ? undefined : (FORMER_TIME_ZONES.get(found) ?? found)
}
