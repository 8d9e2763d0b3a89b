import { UserError } from '../../errors.ts'
import type { Slot } from '../../images/names.ts'
import { parseRanges, type Range } from '../transfer/ranges.ts'
import { type Answer, parseAnswer, parseHealth, parseRefusal, parseState, parseStatus } from './answers.ts'
import type { Called, CallOptions, Remote } from './remote.ts'
import type { DeviceStatus, Health, TrialState } from './status.ts'

/** What a slot consists of: the image, and the boot file system. */
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
  /** Whether the trial uses a snapshot of the current data, or the data from the slot's own last run. */
  readonly data: 'snapshot' | 'as-was'
  readonly commit: 'controller' | 'local'
  /** The time from the start of the trial to its commit, in seconds. */
  readonly seconds: number
}

const MIB = 1024 * 1024
const ANSWER_LIMIT = MIB
/** The largest list of missing blocks, in bytes: one line for every second block of the largest slot. */
const LIST_LIMIT = 64 * MIB
/** The time limit of a call that reads and writes no slot, in seconds. */
const QUICK = 60
/** The time limit of a call that reads or writes a complete slot, in seconds: 24 GiB at 20 MB/s. */
const COMPLETE_SLOT = 1300
/** The options of calls in which the host verifies a complete slot: before it arms the slot, or writes it again. */
const VERIFIES_SLOT = { deadline: COMPLETE_SLOT }

/** The agent on a host: one method for each call of `docs/agent-protocol.md`. */
export class Agent {
  readonly host: string
  private readonly remote: Remote
  /** The name of this controller in the update lock of the host. */
  private readonly owner: string

  constructor(remote: Remote, owner: string) {
    this.remote = remote
    this.owner = owner
    this.host = remote.host
  }

  async status(): Promise<DeviceStatus> {
    return parseStatus(this.host, await this.ask(['status']))
  }

  /**
   * Asks for the short status. While a trial is neither healthy nor committed, the host may delay its answer by
   * `patience` seconds.
   */
  async state(patience = 0): Promise<TrialState> {
    const words = patience === 0 ? ['state'] : ['state', '--wait', String(patience)]
    return parseState(this.host, await this.ask(words, { deadline: QUICK + patience }))
  }

  async health(): Promise<Health> {
    return parseHealth(this.host, await this.ask(['health']))
  }

  /** Sends the host's own keys, new keys first. The host writes only the keys that it does not have. */
  async identity(keys: Uint8Array): Promise<void> {
    parseAnswer(this.host, 'ok', await this.ask(['identity', this.owner], { input: pieces(keys) }))
  }

  async begin({ manifest, signature, downgrade }: Signed): Promise<Answer<'begin'>> {
    const sizes = [String(manifest.length), String(signature.length)]
    const flags = downgrade === 'allowed' ? ['--allow-downgrade'] : []
    const words = ['write', 'begin', this.owner, ...sizes, ...flags]
    return parseAnswer(
      this.host,
      'begin',
      await this.ask(words, { ...VERIFIES_SLOT, input: pieces(manifest, signature) }),
    )
  }

  /** Sends the hash tree of the slot. `missingInBoot` sends the hash tree of the boot file system. */
  async tree(tree: Bytes): Promise<void> {
    const words = ['write', 'tree', this.owner]
    parseAnswer(this.host, 'ok', await this.ask(words, { input: tree, deadline: COMPLETE_SLOT }))
  }

  async missingInSlot(): Promise<Range[]> {
    const options = { limit: LIST_LIMIT, deadline: COMPLETE_SLOT }
    return parseRanges(this.host, await this.ask(['write', 'missing', this.owner, 'slot'], options))
  }

  async missingInBoot(blocks: number, root: string, tree: Uint8Array): Promise<Range[]> {
    const options = {
      limit: LIST_LIMIT,
      deadline: COMPLETE_SLOT,
      input: pieces(Buffer.from(`${blocks} ${root}\n`), tree),
    }
    return parseRanges(this.host, await this.ask(['write', 'missing', this.owner, 'boot'], options))
  }

  /**
   * Sends blocks as compressed records. `size` is the total size of the blocks in bytes. Returns how many blocks the
   * host wrote.
   */
  async blocks(part: Part, records: Bytes, size: number): Promise<number> {
    // The time limit of a transfer. It is long, because slow radio links and SD cards need it; ssh itself detects a
    // dead connection within half a minute.
    const options = { input: records, deadline: QUICK + Math.ceil(size / 100_000) }
    return parseAnswer(this.host, 'blocks', await this.ask(['write', 'blocks', this.owner, part], options)).blocks
  }

  async finish(firstBootBlock: Uint8Array): Promise<Answer<'finish'>> {
    const options = { input: pieces(firstBootBlock), deadline: COMPLETE_SLOT }
    return parseAnswer(this.host, 'finish', await this.ask(['write', 'finish', this.owner], options))
  }

  async arm({ id, root, data, commit, seconds }: Trial): Promise<void> {
    const flags = ['--data', data, '--commit', commit, '--seconds', String(seconds)]
    const armed = parseAnswer(this.host, 'arm', await this.ask(['arm', this.owner, id, root, ...flags], VERIFIES_SLOT))
    if (armed.id !== id) throw wrongTrial(this.host, armed.id, id)
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
    return parseAnswer(this.host, 'revert', await this.ask(['revert', ...flags], VERIFIES_SLOT))
  }

  async release(): Promise<void> {
    parseAnswer(this.host, 'ok', await this.ask(['release', this.owner]))
  }

  private async ask(words: readonly string[], options: Partial<CallOptions> = {}): Promise<string> {
    const called = await this.remote.call(words, { limit: ANSWER_LIMIT, deadline: QUICK, ...options })
    if (called.exitCode === 0) return called.output
    throw (
      parseRefusal(this.host, called.output.trimEnd().split('\n').at(-1) ?? '') ??
      unexpectedEnd(this.host, words, called)
    )
  }
}

async function* pieces(...all: readonly Uint8Array[]): Bytes {
  yield* all
}

function unexpectedEnd(host: string, words: readonly string[], { exitCode, stderr }: Called): UserError {
  // SshRemote has checked that the status comes from the shell of the host, and not from a program of this machine.
  if (exitCode === 126) {
    return new UserError('agent', `'${host}' cannot execute its agent: ${lastOf(stderr)}`, {
      hint: `the host still runs its current slot. Look at its agent: ssh root@${host} ls -l /usr/lib/hangar/agent`,
    })
  }
  if (exitCode === 127) {
    return new UserError('agent', `'${host}' has no agent: its system does not support updates over the network`, {
      hint: `check which system answers at the address in hosts/${host}.ts. Only to replace that system, write the whole disk: npm run flash ${host} -- --disk DISK`,
    })
  }
  const call = words.slice(0, words[0] === 'write' ? 2 : 1).join(' ')
  return new UserError(
    'agent',
    `the agent of '${host}' failed in '${call}' with status ${exitCode}: ${lastOf(stderr)}`,
    {
      hint: `the host still runs its current slot. Look at the host: npm run status ${host}`,
    },
  )
}

function lastOf(stderr: string): string {
  return stderr.split('\n').slice(-3).join(' / ') || 'it wrote no error'
}

function wrongTrial(host: string, have: string, wanted: string): UserError {
  return new UserError('agent', `'${host}' armed the trial '${have}', wanted '${wanted}'`, {
    hint: `another controller may have armed that trial. This controller does not restart the host: npm run status ${host}`,
  })
}
