import { UserError } from '../../../errors.ts'
import { during } from '../../../lib/reporter.ts'
import { persistently } from '../../ssh/persist.ts'
import { rangesFrom } from '../../transfer/ranges.ts'
import { sendUntilComplete } from '../../transfer/send.ts'
import { counted } from '../../transfer/stream.ts'
import { comparesFirst, type Transfer } from '../../transfer/transfer.ts'
import { type Artifact, firstBootBlock, slotTree } from './artifact.ts'
import { bootTree } from './boot-tree.ts'
import type { PiTools, UpdateRun } from './run.ts'

/**
 * Sends the signed manifest. The host then refuses other controllers, and makes the slot unbootable unless the slot is
 * already complete.
 */
export async function beginWrite({ agent, clock }: PiTools, { artifact, goal, slot }: UpdateRun) {
  const { manifestBytes: manifest, signature } = artifact
  const signed = { manifest, signature, downgrade: goal.downgrade }
  const answer = await persistently(clock, () => agent.begin(signed))
  if (answer.slot !== slot) throw unexpectedAnswer(agent.host, 'begin', `slot ${answer.slot}`, `slot ${slot}`)
  return answer.state
}

/** Sends the hash tree, and returns the number of sent bytes. */
export async function sendTree({ agent, clock, progress }: PiTools, artifact: Artifact, name: string, size: number) {
  let sent = 0
  const attempt = (advance: (bytes: number) => void) =>
    agent.tree(
      counted(slotTree(artifact), (bytes) => {
        sent += bytes
        advance(bytes)
      }),
    )
  await during(progress, name, ({ advance }) => persistently(clock, () => attempt(advance)), { totalBytes: size })
  return sent
}

/** Sends the blocks of the slot, and returns the number of sent bytes after compression. */
export function sendSlot(tools: PiTools, artifact: Artifact, transfer: Transfer): Promise<number> {
  const { manifest, slot: file, changed } = artifact
  const all = { first: 0, count: manifest.slot.dataBlocks }
  const missing = () => tools.agent.missingInSlot()
  return sendUntilComplete(tools, { part: 'slot', file, all, missing, changed }, transfer)
}

/**
 * Sends the boot file system without its first block. `finish` sends this block; before that, the firmware cannot boot
 * the slot.
 */
export async function sendBoot(tools: PiTools, artifact: Artifact, transfer: Transfer): Promise<number> {
  const { agent, clock } = tools
  const { boot: file, bootSize, changed } = artifact
  const { blocks, root, bytes } = await bootTree(file, bootSize)
  const missing = async () => rangesFrom(await agent.missingInBoot(blocks, root, bytes), 1)
  const all = { first: 1, count: blocks - 1 }
  // Asks for the missing blocks first, because this call also sends the hash tree, without which the host refuses
  // blocks.
  if (!comparesFirst(transfer)) await persistently(clock, missing)
  return sendUntilComplete(tools, { part: 'boot', file, all, missing, changed }, transfer)
}

/**
 * Asks for the slot's state before `finish`: after a lost answer the slot may already be complete, and the host refuses
 * a second `finish`.
 */
export async function finishWrite({ agent, clock }: PiTools, { artifact, slot, root }: UpdateRun): Promise<void> {
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
    if (have !== wanted) throw unexpectedAnswer(agent.host, 'finish', have, wanted)
  })
}

function unexpectedAnswer(host: string, call: string, have: string, wanted: string): UserError {
  return new UserError('agent', `'${host}' answers '${call}' with ${have}, wanted ${wanted}`, {
    hint: `another controller may be updating the host, which still runs its current slot: npm run status ${host}`,
  })
}
