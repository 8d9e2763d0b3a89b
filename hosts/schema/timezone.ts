import type { z } from 'zod'
import { nearest } from '../../images/nearest.ts'

/**
 * The form of a zone name: each component begins with a capital letter. Upper and lower case matter, because the names
 * are file names.
 */
const NAME = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/

/** Refuses an unknown time zone. /etc/localtime would be a dangling link, and the host would silently use UTC. */
export function checkTimezone(name: string, context: z.RefinementCtx): void {
  if (NAME.test(name) && isKnown(name)) return
  const meant = nearest(name, Intl.supportedValuesOf('timeZone'))
  const guess = meant === undefined ? '' : `; did you mean '${meant}'?`
  context.addIssue(`no time zone has the name '${name}', wanted one such as 'Europe/Zurich'${guess}`)
}

function isKnown(timeZone: string): boolean {
  // Tries the list of zones first, because it takes only 1 ms. The list lacks old names, so a formatter, which takes 12
  // ms, decides about the others.
  if (Intl.supportedValuesOf('timeZone').includes(timeZone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}
