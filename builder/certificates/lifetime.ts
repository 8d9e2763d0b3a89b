import type { Period } from './certificate.ts'

const DAY = 86_400_000

/**
 * The lifetime of a certificate. Apple's systems refuse server certificates of more than 825 days, also those of a CA that
 * their user trusts. A long time is best here: hangar renews certificates only when it builds, and a host must not lose its
 * connections because its owner did not build it for half a year.
 */
export const CERTIFICATE_DAYS = 825

/** The lifetime of a CA: ten years. */
export const AUTHORITY_DAYS = 3650

/** A certificate is valid from the day before, because the clock of a host may be behind: a Raspberry Pi has no battery. */
const BACKDATED = DAY

/** When a new CA is valid. It begins after the CA that it replaces, so that their order shows in the certificates. */
export function authorityPeriod(now: Date, replaced?: Period): Period {
  const from = Math.max(now.getTime() - BACKDATED, (replaced?.from.getTime() ?? 0) + 1000)
  return period(from, from + AUTHORITY_DAYS * DAY)
}

/** When a new certificate is valid: never outside the time in which its CA is valid. */
export function certificatePeriod(now: Date, authority: Period): Period {
  const from = Math.max(now.getTime() - BACKDATED, authority.from.getTime())
  return period(from, Math.min(from + CERTIFICATE_DAYS * DAY, authority.until.getTime()))
}

function period(from: number, until: number): Period {
  const seconds = (time: number) => new Date(Math.floor(time / 1000) * 1000)
  return { from: seconds(from), until: seconds(until) }
}

/** Whether at most a third of the lifetime is left. */
export function isDue({ from, until }: Period, now: Date): boolean {
  return until.getTime() - now.getTime() <= (until.getTime() - from.getTime()) / 3
}

export function isExpired({ until }: Period, now: Date): boolean {
  return until <= now
}

export function isEarly({ from }: Period, now: Date): boolean {
  return now < from
}

/** `2036-11-22` */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}
