import type { FileHandle } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { during, type Progress } from '../../lib/reporter.ts'
import type { Clock } from '../clock.ts'
import type { Agent, Part } from '../ssh/agent.ts'
import { ATTEMPTS, DELAY, isUnreachable, persistently } from '../ssh/persist.ts'
import type { Compress } from './compress.ts'
import { blocksIn, bytesIn, endOf, type Range } from './ranges.ts'
import { counted, records } from './stream.ts'
import { firstPass, type Transfer } from './transfer.ts'

/** A file whose blocks the host needs. */
export interface Source {
  readonly part: Part
  readonly file: FileHandle
  /** The blocks that may be sent. */
  readonly all: Range
  /** Asks the host which blocks it lacks. */
  missing(): Promise<readonly Range[]>
  /** Whether a build has changed the open file. */
  changed(): Promise<boolean>
}

export interface Sender {
  readonly agent: Agent
  readonly clock: Clock
  readonly progress: Progress
  readonly compress: Compress
}

/**
 * Sends blocks until the host has all of them. After a broken connection, sends only the blocks again that did not
 * arrive. Returns the number of sent bytes, after compression.
 */
export async function sendUntilComplete(sender: Sender, source: Source, transfer: Transfer): Promise<number> {
  let total = 0
  let stalled = 0
  let ranges = await firstPass(transfer, source.all, () => compare(sender, source))
  while (ranges.length > 0) {
    const before = blocksIn(ranges)
    const { sent, lost } = await sendOnce(sender, source, ranges)
    total += sent
    ranges = await compare(sender, source)
    stalled = blocksIn(ranges) < before ? 0 : stalled + 1
    // If the connection did not break, the host's disk has lost the blocks that the host still lacks.
    if (stalled < (lost === undefined ? 1 : ATTEMPTS)) continue
    throw lost ?? ((await source.changed()) ? changed(source) : notKept(sender.agent.host, source, ranges))
  }
  return total
}

function compare({ agent, clock, progress }: Sender, source: Source): Promise<readonly Range[]> {
  return during(progress, `compare the ${source.part}`, async () => {
    const ranges = await persistently(clock, () => source.missing())
    const end = source.all.first + source.all.count
    if (endOf(ranges) <= end) return ranges
    throw new UserError(
      'agent',
      `'${agent.host}' asks for block ${endOf(ranges) - 1} of the ${source.part}, which has ${end} blocks`,
      {
        hint: `the agent on the host and this hangar have different versions: use the hangar that built the running image, or the newest (git pull)`,
      },
    )
  })
}

interface Pass {
  /** The number of sent bytes, after compression. */
  readonly sent: number
  /** The error that broke the connection. The host has kept the blocks that arrived. */
  readonly lost: UserError | undefined
}

async function sendOnce(sender: Sender, source: Source, ranges: readonly Range[]): Promise<Pass> {
  const { agent, clock, progress, compress } = sender
  const step = progress.step(`send the ${source.part}`, bytesIn(ranges))
  let sent = 0
  const count = (bytes: number) => {
    sent += bytes
  }
  try {
    const stream = counted(compress(records(source.file, ranges, (bytes) => step.advance(bytes))), count)
    await agent.blocks(source.part, stream, bytesIn(ranges))
    step.done('done')
    return { sent, lost: undefined }
  } catch (error) {
    step.failed()
    if (!isUnreachable(error)) throw error
    progress.notice(`${error.message}; trying again in ${DELAY / 1000} s`)
    await clock.sleep(DELAY)
    return { sent, lost: error }
  }
}

function changed({ part }: Source): UserError {
  return new UserError('update', `a build changed the image while hangar sent its ${part}`, {
    hint: 'the host still runs its current slot. Wait until the build has ended, then run the same command again',
  })
}

function notKept(host: string, { part }: Source, ranges: readonly Range[]): UserError {
  const [first] = ranges
  return new UserError(
    'update',
    `the disk of '${host}' did not keep ${blocksIn(ranges)} blocks of the ${part}; the first is block ${first?.first}`,
    { hint: 'the disk fails, or is smaller than it reports: replace it. The host still runs its current slot' },
  )
}
