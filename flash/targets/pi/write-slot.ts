import { UserError } from '../../../errors.ts'
import type { Goal } from '../../goal.ts'
import { during } from '../../progress.ts'
import { persistently } from '../../ssh/persist.ts'
import { rangesFrom } from '../../transfer/ranges.ts'
import { type Sender, sendUntilWhole } from '../../transfer/send.ts'
import { counted } from '../../transfer/stream.ts'
import { firstBootBlock, slotTree } from './artifact.ts'
import { bootTree } from './boot-tree.ts'
import type { Run } from './run.ts'

/** Shows the host the signed manifest; it locks out others, and makes the slot unbootable unless it is whole. */
export async function beginWrite({ agent, artifact, goal, clock, slot }: Run): Promise<'begun' | 'written'> {
  const { manifestBytes: manifest, signature } = artifact
  const signed = { manifest, signature, downgrade: goal.downgrade }
  const answer = await persistently(clock, () => agent.begin(signed))
  if (answer.slot !== slot) throw answeredOtherwise(agent.host, 'begin', `slot ${answer.slot}`, `slot ${slot}`)
  return answer.state
}

export function sendTree(run: Run, name: string, size: number): Promise<void> {
  const { agent, artifact, clock, progress } = run
  const attempt = (advance: (bytes: number) => void) =>
    agent.tree(
      counted(slotTree(artifact), (bytes) => {
        run.sent += bytes
        advance(bytes)
      }),
    )
  return during(progress, name, ({ advance }) => persistently(clock, () => attempt(advance)), size)
}

export function sendSlot(run: Run, transfer: Goal['transfer']): Promise<void> {
  const { agent, artifact } = run
  const all = { first: 0, count: artifact.manifest.slot.dataBlocks }
  const missing = () => agent.missingInSlot()
  return sendUntilWhole(
    senderOf(run),
    { part: 'slot', file: artifact.slot, all, missing, changed: artifact.changed },
    transfer,
  )
}

/** But for its first block: until `finish` brings that, nothing boots from there. */
export async function sendBoot(run: Run, transfer: Goal['transfer']): Promise<void> {
  const { agent, artifact } = run
  const { blocks, root, bytes } = await bootTree(artifact.boot, artifact.bootSize)
  const missing = async () => rangesFrom(await agent.missingInBoot(blocks, root, bytes), 1)
  const all = { first: 1, count: blocks - 1 }
  // The question brings the tree, without which the host takes nothing.
  if (transfer === 'full') await persistently(run.clock, missing)
  await sendUntilWhole(
    senderOf(run),
    { part: 'boot', file: artifact.boot, all, missing, changed: artifact.changed },
    transfer,
  )
}

/** Where the answer was lost it may be finished already: a second one is refused, so the host is asked first. */
export async function finishWrite({ agent, artifact, clock, slot, root }: Run): Promise<void> {
  const first = await firstBootBlock(artifact)
  let isRepeated = false
  await persistently(clock, async () => {
    if (isRepeated) {
      const { state, root: have } = { root: undefined, ...(await agent.status()).slots[slot] }
      if (state === 'bootable' && have === root) return
    }
    isRepeated = true
    const answer = await agent.finish(first)
    const [have, wanted] = [`slot ${answer.slot}, root ${answer.root}`, `slot ${slot}, root ${root}`]
    if (have !== wanted) throw answeredOtherwise(agent.host, 'finish', have, wanted)
  })
}

function senderOf(run: Run): Sender {
  const onSent = (bytes: number) => {
    run.sent += bytes
  }
  return { ...run, onSent }
}

function answeredOtherwise(host: string, call: string, have: string, wanted: string): UserError {
  return new UserError('agent', `'${host}' answers to '${call}' with ${have}, wanted ${wanted}`, {
    hint: `another controller may be at work: npm run status ${host}, then the same command again`,
  })
}
