const MINUTE = 60_000
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/**
 * Finds a time between two moments in a text, in seconds since 1970 or in a usual form with at least the minute. A date
 * alone could be there by chance. The scripts run in UTC.
 */
export function timesBetween(from: number, to: number): (text: string) => string | undefined {
  const minutes: string[] = []
  for (let at = from - (from % MINUTE); at <= to; at += MINUTE) minutes.push(...formsOf(new Date(at)))
  return (text) => minutes.find((form) => text.includes(form)) ?? secondsIn(text, from, to)
}

function formsOf(time: Date): string[] {
  const [date = '', clock = ''] = time.toISOString().slice(0, 16).split('T')
  const [year = '', month = '', day = ''] = date.split('-')
  const name = MONTHS[time.getUTCMonth()] ?? ''
  const days = [...new Set([day.replace(/^0/, ''), day, day.replace(/^0/, ' ')])]
  return [
    `${date} ${clock}`,
    `${date}T${clock}`,
    `${date.replaceAll('-', '')}${clock.replace(':', '')}`,
    `${year}/${month}/${day} ${clock}`,
    // As in `date`, ctime(3), and RFC 5322.
    ...days.flatMap((each) => [`${name} ${each} ${clock}`, `${each} ${name} ${year} ${clock}`]),
  ]
}

function secondsIn(text: string, from: number, to: number): string | undefined {
  const isInside = (seconds: string) => Number(seconds) >= Math.floor(from / 1000) && Number(seconds) <= to / 1000
  return text.match(/(?<!\d)\d{10}(?!\d)/g)?.find(isInside)
}
