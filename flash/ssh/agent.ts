import { UserError } from '../../errors.ts'
import type { Slot } from '../../images/names.ts'
import { parseRanges, type Range } from '../transfer/ranges.ts'
import { type Answer, parseAnswer, parseHealth, parseRefusal, parseState, parseStatus } from './answers.ts'
import type { Called, CallOptions, Remote } from './remote.ts'
import type { DeviceStatus, Health, TrialState } from './status.ts'

/** The two things that are written to a slot: its image, and its boot file system. */
export type Part = 'slot' | 'boot'
export type Bytes = AsyncIterable<Uint8Array>

export interface Signed {
  readonly manifest: Uint8Array
  readonly signature: Uint8Array
  readonly downgrade: 'refused' | 'allowed'
}

export interface Trial {
  readonly id: string
  readonly root: string
  /** Whether the trial gets a copy of the current data, or the slot's own as it left them. */
  readonly data: 'snapshot' | 'as-was'
  readonly commit: 'controller' | 'local'
  /** What it has from its start to its commit. */
  readonly seconds: number
}

const MIB = 1024 * 1024
const ANSWER_LIMIT = MIB
/** Every second block of the largest slot, each on a line of its own. */
const LIST_LIMIT = 64 * MIB
/** Seconds for a call that only reads or decides. */
const SOON = 60
/** Seconds for a call that reads or writes a slot from end to end: 24 GiB at 20 MB/s. */
const WHOLE_SLOT = 1300
/** What is about to boot is verified first. */
const READS_ALL = { deadline: WHOLE_SLOT }

/** The calls of `docs/agent-protocol.md`, one method each. */
export class Agent {
  readonly host: string
  private readonly remote: Remote
  /** Who drives the update, for the host's lock. */
  private readonly owner: string

  constructor(remote: Remote, owner: string) {
    this.remote = remote
    this.owner = owner
    this.host = remote.host
  }

  async status(): Promise<DeviceStatus> {
    return parseStatus(this.host, await this.ask(['status']))
  }

  /** `patience`: seconds that the host waits with its answer while a trial is neither healthy nor committed. */
  async state(patience = 0): Promise<TrialState> {
    const words = patience === 0 ? ['state'] : ['state', '--wait', String(patience)]
    return parseState(this.host, await this.ask(words, { deadline: SOON + patience }))
  }

  async health(): Promise<Health> {
    return parseHealth(this.host, await this.ask(['health']))
  }

  /** The host's own keys: those that it has and new ones before them. What it holds already is written to no disk. */
  async identity(keys: Uint8Array): Promise<void> {
    parseAnswer(this.host, 'ok', await this.ask(['identity', this.owner], { input: pieces(keys) }))
  }

  async begin({ manifest, signature, downgrade }: Signed): Promise<Answer<'begin'>> {
    const sizes = [String(manifest.length), String(signature.length)]
    const flags = downgrade === 'allowed' ? ['--allow-downgrade'] : []
    const words = ['write', 'begin', this.owner, ...sizes, ...flags]
    return parseAnswer(this.host, 'begin', await this.ask(words, { ...READS_ALL, input: pieces(manifest, signature) }))
  }

  /** The slot's hash tree; that of the boot file system comes with the question for what is missing. */
  async tree(tree: Bytes): Promise<void> {
    const words = ['write', 'tree', this.owner]
    parseAnswer(this.host, 'ok', await this.ask(words, { input: tree, deadline: WHOLE_SLOT }))
  }

  async missingInSlot(): Promise<Range[]> {
    const options = { limit: LIST_LIMIT, deadline: WHOLE_SLOT }
    return parseRanges(this.host, await this.ask(['write', 'missing', this.owner, 'slot'], options))
  }

  async missingInBoot(blocks: number, root: string, tree: Uint8Array): Promise<Range[]> {
    const options = { limit: LIST_LIMIT, deadline: WHOLE_SLOT, input: pieces(Buffer.from(`${blocks} ${root}\n`), tree) }
    return parseRanges(this.host, await this.ask(['write', 'missing', this.owner, 'boot'], options))
  }

  /** Compressed records; answers with the blocks that were written. `size` is that of the blocks in bytes. */
  async blocks(part: Part, records: Bytes, size: number): Promise<number> {
    // Slow radio links and cards are worth waiting for; a connection that died is noticed without a deadline.
    const options = { input: records, deadline: SOON + Math.ceil(size / 100_000) }
    return parseAnswer(this.host, 'blocks', await this.ask(['write', 'blocks', this.owner, part], options)).blocks
  }

  async finish(firstBootBlock: Uint8Array): Promise<Answer<'finish'>> {
    const options = { input: pieces(firstBootBlock), deadline: WHOLE_SLOT }
    return parseAnswer(this.host, 'finish', await this.ask(['write', 'finish', this.owner], options))
  }

  async arm({ id, root, data, commit, seconds }: Trial): Promise<void> {
    const flags = ['--data', data, '--commit', commit, '--seconds', String(seconds)]
    const armed = parseAnswer(this.host, 'arm', await this.ask(['arm', this.owner, id, root, ...flags], READS_ALL))
    if (armed.id !== id) throw anotherId(this.host, armed.id, id)
  }

  async reboot(): Promise<void> {
    parseAnswer(this.host, 'ok', await this.ask(['reboot']))
    await this.remote.disconnect()
  }

  async commit(id: string, root: string): Promise<Slot> {
    return parseAnswer(this.host, 'commit', await this.ask(['commit', id, root])).slot
  }

  async revert(data: 'carried' | 'as-was'): Promise<Answer<'revert'>> {
    const flags = data === 'as-was' ? ['--with-data'] : []
    return parseAnswer(this.host, 'revert', await this.ask(['revert', ...flags], READS_ALL))
  }

  async release(): Promise<void> {
    parseAnswer(this.host, 'ok', await this.ask(['release', this.owner]))
  }

  private async ask(words: readonly string[], options: Partial<CallOptions> = {}): Promise<string> {
    const called = await this.remote.call(words, { limit: ANSWER_LIMIT, deadline: SOON, ...options })
    if (called.exitCode === 0) return called.output
    throw (
      parseRefusal(this.host, called.output.trimEnd().split('\n').at(-1) ?? '') ?? strangeEnd(this.host, words, called)
    )
  }
}

async function* pieces(...all: readonly Uint8Array[]): Bytes {
  yield* all
}

function strangeEnd(host: string, words: readonly string[], { exitCode, complaint }: Called): UserError {
  if (exitCode === 126 || exitCode === 127) {
    return new UserError('agent', `'${host}' has no agent: what runs there was not built for updates`, {
      hint: `flash its disk anew: npm run flash ${host} -- --disk DISK`,
    })
  }
  const said = complaint.split('\n').slice(-3).join(' / ')
  const call = words.slice(0, words[0] === 'write' ? 2 : 1).join(' ')
  return new UserError(
    'agent',
    `the agent of '${host}' broke off '${call}' with status ${exitCode}: ${said || 'no word'}`,
    {
      hint: `what runs there goes on running; look at it: npm run status ${host}`,
    },
  )
}

function anotherId(host: string, have: string, wanted: string): UserError {
  return new UserError('agent', `'${host}' armed the trial '${have}', wanted '${wanted}'`, {
    hint: `another controller is at work: npm run status ${host}`,
  })
}
