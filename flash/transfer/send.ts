import type { FileHandle } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { during, type Progress } from '../progress.ts'
import type { Agent, Part } from '../ssh/agent.ts'
import { ATTEMPTS, DELAY, isUnreachable, persistently } from '../ssh/persist.ts'
import type { Compress } from './compress.ts'
import { blocksIn, bytesIn, endOf, type Range } from './ranges.ts'
import { counted, records } from './stream.ts'

/** A file that a host is to hold, and how to learn what of it is not there yet. */
export interface Source {
  readonly part: Part
  readonly file: FileHandle
  /** Blocks that may be sent. */
  readonly all: Range
  missing(): Promise<Range[]>
  /** Whether somebody has written to the file since it was opened. */
  changed(): Promise<boolean>
}

export interface Sender {
  readonly agent: Agent
  readonly clock: Clock
  readonly progress: Progress
  readonly compress: Compress
  /** Told of bytes that went to the host, as they are on the wire. */
  onSent(bytes: number): void
}

/** Sends what is missing, again after every broken connection, until the host says that nothing is. */
export async function sendUntilWhole(sender: Sender, source: Source, transfer: 'missing' | 'full'): Promise<void> {
  let ranges = transfer === 'full' ? [source.all] : await compare(sender, source)
  let stalled = 0
  while (ranges.length > 0) {
    const before = blocksIn(ranges)
    const lost = await send(sender, source, ranges)
    ranges = await compare(sender, source)
    stalled = blocksIn(ranges) < before ? 0 : stalled + 1
    if (stalled < (lost === undefined ? 1 : ATTEMPTS)) continue
    throw lost ?? ((await source.changed()) ? changed(source) : damaged(sender.agent.host, source, ranges))
  }
}

function compare({ agent, clock, progress }: Sender, source: Source): Promise<Range[]> {
  return during(progress, `compare the ${source.part}`, async () => {
    const ranges = await persistently(clock, () => source.missing())
    const end = source.all.first + source.all.count
    if (endOf(ranges) <= end) return ranges
    throw new UserError(
      'agent',
      `'${agent.host}' misses block ${endOf(ranges) - 1} of the ${source.part}, which has ${end}`,
      {
        hint: 'use the hangar that its image was built with, or the newest',
      },
    )
  })
}

/** Returns what broke the connection, if it did: the host keeps what arrived. */
async function send(sender: Sender, source: Source, ranges: readonly Range[]): Promise<UserError | undefined> {
  const { agent, clock, progress, compress, onSent } = sender
  const step = progress.step(`send the ${source.part}`, bytesIn(ranges))
  try {
    const stream = counted(compress(records(source.file, ranges, (bytes) => step.advance(bytes))), onSent)
    await agent.blocks(source.part, stream, bytesIn(ranges))
    step.done('done')
    return undefined
  } catch (error) {
    step.failed()
    if (!isUnreachable(error)) throw error
    progress.notice(`${error.message}; trying again in ${DELAY / 1000} s`)
    await clock.sleep(DELAY)
    return error
  }
}

function changed({ part }: Source): UserError {
  return new UserError('update', `the image was built anew while its ${part} was sent`, {
    hint: 'let the build come to its end, and type the same command again; what runs there goes on running',
  })
}

function damaged(host: string, { part }: Source, ranges: readonly Range[]): UserError {
  const [first] = ranges
  return new UserError(
    'update',
    `${blocksIn(ranges)} blocks of the ${part} do not stay on the disk of '${host}' as they were sent, the first is block ${first?.first}`,
    { hint: 'its disk fails, or has another size than it says: replace the card; what runs there goes on running' },
  )
}
