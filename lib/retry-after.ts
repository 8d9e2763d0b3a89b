/**
 * The wait that the header Retry-After asks for, in milliseconds (RFC 9110, section 10.2.3): a number of seconds or a date.
 * Undefined for a missing or misformed header. A date in the past means no wait.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  // Every form of HTTP dates begins with the name of a weekday. Date.parse alone would also read '-1' and '1.5' as dates.
  if (!/^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? /.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : Math.max(0, time - now.getTime())
}
