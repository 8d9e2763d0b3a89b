import type { z } from 'zod'
import { nearest } from '../../images/nearest.ts'

/** Each part begins with a capital: the names are files, and a file's letters count. */
const NAME = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/

/** Refuses a name that no time zone has: the link to it would lead nowhere, and the host's time be UTC without a word. */
export function checkTimezone(name: string, context: z.RefinementCtx): void {
  if (NAME.test(name) && isKnown(name)) return
  const meant = nearest(name, Intl.supportedValuesOf('timeZone'))
  const guess = meant === undefined ? '' : `; did you mean '${meant}'?`
  context.addIssue(`no time zone has the name '${name}', wanted one such as 'Europe/Zurich'${guess}`)
}

function isKnown(timeZone: string): boolean {
  // A format takes all names, old ones too, and 12 ms to be made; the list takes one.
  if (Intl.supportedValuesOf('timeZone').includes(timeZone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}
