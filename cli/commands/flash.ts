import { UserError } from '../../errors.ts'
import type { Clock } from '../../flash/clock.ts'
import type { Connect, KnownHost } from '../../flash/controller.ts'
import type { Goal } from '../../flash/goal.ts'
import type { OwnIdentity } from '../../flash/targets/target.ts'
import { dryRun, type Updated, update } from '../../flash/update.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import type { Progress } from '../../lib/reporter.ts'
import { formatColumns } from '../display/table.ts'
import { type Generations, nameGeneration } from '../generation-name.ts'
import { planText } from './plan-text.ts'

export interface FlashTarget extends KnownHost {
  /** `out/HOST`, where the build leaves its files. */
  readonly output: string
  readonly identity: OwnIdentity
}

export interface FlashCommand {
  readonly targets: readonly FlashTarget[]
  readonly goal: Goal
  readonly mode: 'run' | 'dry-run'
  /** Builds a host's image; called for every host before the first one is updated. */
  readonly build: (host: string) => Promise<void>
  readonly generations: (host: string) => Generations
  readonly connect: Connect
  readonly progress: Progress
  readonly clock: Clock
}

/** Brings hosts to their images, one after the other; the text to end with. Stops at the first that fails. */
export async function flashCommand(command: FlashCommand): Promise<string> {
  const { targets, progress } = command
  for (const { host } of targets) await command.build(host)
  const said: string[] = []
  for (const [index, target] of targets.entries()) {
    try {
      said.push(await flashOne(command, target))
    } catch (error) {
      for (const text of said) progress.notice(text)
      throw naming(error, targets.slice(index + 1))
    }
  }
  return said.join('\n\n')
}

function flashOne(command: FlashCommand, { output, identity, ...known }: FlashTarget): Promise<string> {
  const { connect, goal, clock, progress, mode, generations } = command
  const { host, driver } = known
  return driver.withArtifact(host, output, (artifact) =>
    connect(known, async (target) => {
      const job = { target, artifact, identity, goal, clock, progress }
      if (mode === 'dry-run') return planText(host, await dryRun(job))
      return resultText(host, await update(job), generations(host))
    }),
  )
}

export function resultText(host: string, updated: Updated, generations: Generations): string {
  const image = nameGeneration(generations, updated.root)
  if (updated.kind === 'nothing') return `${host}: nothing to do: slot ${updated.slot} runs ${image} and is committed`
  const { slot, sent, total, times } = updated
  const rows = times.map(({ name, seconds }) => [`  ${name}`, formatDuration(seconds * 1000)])
  const whole = `sent ${formatSize(sent)}, ${formatDuration(total * 1000)} in all`
  if (updated.kind === 'renewed') {
    return [
      formatColumns(rows),
      `${host}: has its new keys; slot ${slot} runs ${image} and is committed, nothing restarted; ${whole}`,
    ].join('\n')
  }
  if (updated.kind === 'staged') {
    return [
      formatColumns(rows),
      `${host}: slot ${slot} holds ${image}, nothing boots it yet; ${whole}`,
      `next: npm run flash ${host}`,
    ].join('\n')
  }
  return [
    formatColumns(rows),
    `${host}: slot ${slot} runs ${image}, healthy and committed; ${whole}, services down for ${formatDuration(updated.downtime * 1000)}`,
    `back: npm run revert ${host}`,
  ].join('\n')
}

/** Adds which hosts were left as they were. */
function naming(error: unknown, untried: readonly FlashTarget[]): unknown {
  if (!(error instanceof UserError) || untried.length === 0) return error
  const names = untried.map(({ host }) => `'${host}'`).join(', ')
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new UserError(error.code, `${error.message}; not tried: ${names}`, { ...hint, cause: error })
}
