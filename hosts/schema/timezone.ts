import type { z } from 'zod'
import { nearest } from '../../images/nearest.ts'

/** Each part begins with a capital letter. The names are file names, so that upper and lower case differ. */
const NAME = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/

/** Refuses an unknown time zone. /etc/localtime would be a dangling link, and the host would silently use UTC. */
export function checkTimezone(name: string, context: z.RefinementCtx): void {
  if (NAME.test(name) && isKnown(name)) return
  const meant = nearest(name, Intl.supportedValuesOf('timeZone'))
  const guess = meant === undefined ? '' : `; did you mean '${meant}'?`
  context.addIssue(`no time zone has the name '${name}', wanted one such as 'Europe/Zurich'${guess}`)
}

function isKnown(timeZone: string): boolean {
  // The list takes 1 ms and lacks old names. A formatter knows all names, and takes 12 ms.
  if (Intl.supportedValuesOf('timeZone').includes(timeZone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}
