import { UserError } from '../../errors.ts'
import type { Clock } from '../../flash/clock.ts'
import { formatBytes, formatColumns, formatSeconds } from '../../flash/format.ts'
import type { Goal } from '../../flash/goal.ts'
import type { Progress } from '../../flash/progress.ts'
import type { Connect, Target } from '../../flash/ssh/connect.ts'
import { type Artifact, withArtifact } from '../../flash/targets/pi/artifact.ts'
import { keysToBring, type OwnIdentity, withIdentity } from '../../flash/targets/pi/identity.ts'
import { planUpdate } from '../../flash/targets/pi/plan.ts'
import { describePlan } from '../../flash/targets/pi/step-text.ts'
import type { Compress } from '../../flash/transfer/compress.ts'
import { type Updated, update } from '../../flash/update.ts'
import { type Generations, nameGeneration } from '../generation-name.ts'

export interface FlashTarget extends Target {
  /** `out/HOST`, where the build leaves its files. */
  readonly output: string
  readonly identity: OwnIdentity
}

export interface FlashCommand {
  readonly targets: readonly FlashTarget[]
  readonly goal: Goal
  readonly mode: 'run' | 'dry-run'
  /** Makes a host's image what its file says; before any host is touched. */
  readonly build: (host: string) => Promise<void>
  readonly generations: (host: string) => Generations
  readonly connect: Connect
  readonly compress: Compress
  readonly progress: Progress
  readonly clock: Clock
  readonly newId: () => string
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

function flashOne(command: FlashCommand, target: FlashTarget): Promise<string> {
  const { host, output, identity } = target
  return withArtifact(host, output, async (artifact) => {
    requireOwnImage(host, output, artifact)
    if (command.mode === 'dry-run') return dryRun(command, target, artifact)
    const { newId, ...job } = command
    const updated = await command.connect(target, (agent) => update({ ...job, agent, artifact, identity, id: newId() }))
    return resultText(host, updated, command.generations(host))
  })
}

async function dryRun(
  { connect, goal, progress }: FlashCommand,
  target: FlashTarget,
  artifact: Artifact,
): Promise<string> {
  const status = await connect(target, (agent) => agent.status())
  const planned = planUpdate(status, artifact, goal)
  const keys = await keysToBring(status, target.identity, progress)
  return describePlan(target.host, withIdentity(keys, planned))
}

export function resultText(host: string, updated: Updated, generations: Generations): string {
  const image = nameGeneration(generations, updated.root)
  if (updated.kind === 'nothing') return `${host}: nothing to do: slot ${updated.slot} runs ${image} and is committed`
  const { slot, sent, total, times } = updated
  const rows = times.map(({ name, seconds }) => [`  ${name}`, formatSeconds(seconds)])
  const whole = `sent ${formatBytes(sent)}, ${formatSeconds(total)} in all`
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
    `${host}: slot ${slot} runs ${image}, healthy and committed; ${whole}, services down for ${formatSeconds(updated.downtime)}`,
    `back: npm run revert ${host}`,
  ].join('\n')
}

function requireOwnImage(host: string, output: string, { manifest }: Artifact): void {
  if (manifest.host === host) return
  throw new UserError('update', `'${output}' holds an image of '${manifest.host}', wanted one of '${host}'`, {
    hint: `npm run build:image ${host}`,
  })
}

/** Adds which hosts were left as they were. */
function naming(error: unknown, untried: readonly FlashTarget[]): unknown {
  if (!(error instanceof UserError) || untried.length === 0) return error
  const names = untried.map(({ host }) => `'${host}'`).join(', ')
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new UserError(error.code, `${error.message}; not tried: ${names}`, { ...hint, cause: error })
}
