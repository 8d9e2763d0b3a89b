import { formatBytes } from '../../format.ts'
import { bytesAtMost, isRestart, type Step } from './plan.ts'

/** What would be done, a line a step, for `--dry-run`. */
export function describePlan(host: string, steps: readonly Step[]): string {
  if (steps.length === 0) return `${host}: nothing to do, it runs this image`
  const numbered = steps.map((step, index) => `${String(index + 1).padStart(3)}. ${describeStep(step)}`)
  const sent = bytesAtMost(steps)
  const bytes = sent === 0 ? 'nothing is sent' : `at most ${formatBytes(sent)} are sent, before compression`
  const stop = steps.some(isRestart) ? 'one restart' : 'no restart'
  return [`${host}: would do this`, ...numbered, `${bytes}; ${stop}`].join('\n')
}

/** A step as progress and results name it. */
export function nameOf(step: Step): string {
  switch (step.kind) {
    case 'identity':
      return 'bring the host its keys'
    case 'begin':
      return `begin slot ${step.slot}`
    case 'tree':
      return 'send the hash tree'
    case 'blocks':
      return step.part === 'slot' ? 'send the slot' : 'send the boot files'
    case 'finish':
      return `verify slot ${step.slot}`
    case 'release':
      return 'release the lock'
    case 'arm':
      return `arm a trial of slot ${step.slot}`
    case 'restart':
      return `restart into slot ${step.slot}`
    case 'health':
      return 'wait for health'
    case 'commit':
      return `commit slot ${step.slot}`
    case 'confirm':
      return 'read back'
  }
}

function describeStep(step: Step): string {
  const name = nameOf(step)
  switch (step.kind) {
    case 'identity':
      return `${name}: those of its identity that it does not have; what it has stays, behind them`
    case 'begin': {
      const older = step.downgrade === 'allowed' ? ', an older serial is allowed' : ''
      return `${name}: the host checks the signature${older} and makes the slot unbootable, unless it holds this image whole`
    }
    case 'tree':
      return `${name}: ${formatBytes(step.atMost)}`
    case 'blocks': {
      const what = step.transfer === 'full' ? 'all of it,' : 'what is missing there, at most'
      return `${name}: ${what} ${formatBytes(step.atMost)}`
    }
    case 'finish':
      return `${name}: the host reads everything back, then makes it bootable`
    case 'release':
      return step.slot === undefined ? name : `${name}: slot ${step.slot} is ready; the next flash goes on from there`
    case 'arm':
      return `${name}: the next start is a trial, every other one is what runs now`
    case 'restart':
      return `${name}: services stop; it must come back with root ${step.root.slice(0, 12)}`
    case 'health':
      return `${name}: otherwise it goes back to the slot that runs now`
    case 'commit':
      return `${name}: it boots from now on`
    case 'confirm':
      return `${name}: the host says that slot ${step.slot} with root ${step.root.slice(0, 12)} is committed`
  }
}
