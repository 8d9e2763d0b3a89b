import type { StepDescription } from '../../flash/targets/target.ts'
import { formatSize } from '../../lib/format.ts'

/** The steps of an update, one per line, for `--dry-run`. */
export function planText(host: string, steps: readonly StepDescription[]): string {
  if (steps.length === 0) return `${host}: nothing to do, the host runs this image`
  const lines = steps.map(({ name, about }, index) => {
    const number = String(index + 1).padStart(3)
    return about === undefined ? `${number}. ${name}` : `${number}. ${name}: ${about}`
  })
  const sent = steps.reduce((sum, { atMost }) => sum + atMost, 0)
  const bytes = sent === 0 ? 'sends nothing' : `sends at most ${formatSize(sent)} before compression`
  const restarts = steps.some(({ services }) => services === 'stop') ? 'one restart' : 'no restart'
  return [`${host}: flash would perform these steps`, ...lines, `${bytes}; ${restarts}`].join('\n')
}
