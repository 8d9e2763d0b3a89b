import type { Clock } from '../../flash/clock.ts'
import type { Called, CallOptions, Remote } from '../../flash/ssh/remote.ts'
import { unreachable } from '../../flash/ssh/ssh-failure.ts'
import type { Slot } from '../../images/names.ts'
import { callName, noInput, wholeInput } from './fake-call.ts'
import { type FakeIdentity, renewed } from './fake-identity.ts'
import { FakeSlot, Refused } from './fake-slots.ts'
import { SIGNING_LINE, type UpdateImage } from './update-image.ts'

/** Faults to inject. A call is named by its words up to the owner: `write blocks slot`. */
export interface Faults {
  /** Each entry breaks the connection once, after `after` bytes of the call's input. */
  readonly cuts: { readonly call: string; readonly after: number }[]
  /** Each entry loses the answer to one call. The host still performs the call. */
  readonly lostAnswers: string[]
  /** The result of the next trial. */
  trial: 'healthy' | 'panics' | 'never-healthy' | 'never-back'
  /** From this time on, the host does not answer. */
  offlineFrom: number
}

interface Update {
  id: string
  kind: 'update' | 'revert'
  slot: Slot
  root: string
  phase: 'writing' | 'written' | 'armed' | 'trial' | 'committed' | 'reverted'
  reason?: string
  data: string
  commit: string
  seconds: number
}

const BOOT_TIME = 25_000
const WATCHDOG = 15_000
const SERVICES = 8_000

/**
 * A device as docs/agent-protocol.md describes it, in memory: real slots, a boot that takes time, and trials that fall back.
 */
export class FakeHost implements Remote {
  readonly host = 'adama'
  readonly at = '10.0.10.11'
  readonly slots: Record<Slot, FakeSlot> = { a: new FakeSlot(), b: new FakeSlot() }
  /** Every call that arrived, by name. */
  readonly calls: string[] = []
  readonly faults: Faults = { cuts: [], lostAnswers: [], trial: 'healthy', offlineFrom: Number.POSITIVE_INFINITY }
  /** Replaces values of the status, for example to fake another device. */
  statusOverrides: Record<string, unknown> = {}
  running: Slot = 'a'
  committed: Slot = 'a'
  lock: { owner: string; age: number } | null = null
  update: Update | null = null
  identity: FakeIdentity = { ssh: [], age: [] }
  boots = 1
  private readonly clock: Clock
  private readonly unpack: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
  private state: 'committed' | 'trial' = 'committed'
  /** From this time on, the host answers. */
  private upAt = 0
  private serial = { time: 1, number: 1 }
  private readonly previouslyCommitted = new Set<string>()

  constructor(clock: Clock, image: UpdateImage, unpack: FakeHost['unpack'] = (bytes) => bytes) {
    this.clock = clock
    this.unpack = unpack
    this.slots.a.fill(image.manifest, image.slot, image.boot)
    this.previouslyCommitted.add(image.manifest.slot.root)
  }

  async call(words: readonly string[], { input = noInput() }: Pick<CallOptions, 'input'>): Promise<Called> {
    const name = callName(words)
    this.advance()
    if (this.clock.now() < this.upAt || this.clock.now() >= this.faults.offlineFrom)
      throw unreachable(this, 'Connection timed out')
    this.calls.push(name)
    try {
      const output = await this.answer(words, this.cut(name, input))
      if (this.take(this.faults.lostAnswers, (call) => call === name)) throw unreachable(this, 'Broken pipe')
      return { exitCode: 0, output, stderr: '' }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const { code, message } = error
      return { exitCode: 1, output: `${JSON.stringify({ error: { code, message } })}\n`, stderr: '' }
    }
  }

  async disconnect(): Promise<void> {}

  /** Cuts the power and restores it. */
  powerCycle(): void {
    this.start(this.clock.now())
  }

  private async answer(words: readonly string[], input: AsyncIterable<Uint8Array>): Promise<string> {
    if (words[0] === 'write') return this.write(words.slice(1), input)
    const value = await this.decide(words, input)
    return `${JSON.stringify(value)}\n`
  }

  private async write(
    [verb, owner = '', ...rest]: readonly string[],
    input: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    if (this.state === 'trial') throw new Refused('busy', 'a trial has not ended')
    if (verb === 'begin') this.lock = { owner, age: 0 }
    else if (this.lock?.owner !== owner) throw new Refused('busy', 'another controller writes')
    const name = this.running === 'a' ? 'b' : 'a'
    const slot = this.slots[name]
    const json = (value: unknown) => `${JSON.stringify(value)}\n`
    const part = rest[0] as 'slot' | 'boot'
    if (verb === 'blocks') return json({ ok: true, blocks: await slot.takeRecords(part, this.unpack(input)) })
    const bytes = await wholeInput(input)
    switch (verb) {
      case 'begin': {
        const [size, signatureSize] = rest.map(Number)
        if (bytes.length !== (size ?? 0) + (signatureSize ?? 0)) throw new Refused('usage', 'sizes do not match')
        const text = bytes.toString('utf8', 0, size)
        const serial = (JSON.parse(text) as { serial: { time: number; number: number } }).serial
        if (serial.time < this.serial.time && rest[2] !== '--allow-downgrade') throw new Refused('downgrade', 'older')
        const { root } = (JSON.parse(text) as { slot: { root: string } }).slot
        const isLast = this.update?.phase === 'written' && this.update.root === root
        const state = slot.begin(text, bytes.toString('utf8', size), [SIGNING_LINE], isLast)
        const terms = { data: 'snapshot', commit: 'controller', seconds: 0 }
        if (state === 'begun') this.update = { id: '-', kind: 'update', slot: name, root, phase: 'writing', ...terms }
        return json({ slot: name, state })
      }
      case 'tree':
        slot.takeTree(bytes)
        return json({ ok: true })
      case 'missing': {
        if (part === 'boot') {
          const end = bytes.indexOf('\n')
          slot.takeBootTree(bytes.toString('utf8', 0, end), bytes.subarray(end + 1))
        }
        return slot.missing(part)
      }
      case 'finish': {
        const root = slot.finish(bytes)
        if (this.update !== null) this.update.phase = 'written'
        return json({ ok: true, slot: name, root })
      }
      default:
        throw new Refused('usage', `no call 'write ${verb}'`)
    }
  }

  private async decide(words: readonly string[], input: AsyncIterable<Uint8Array>): Promise<unknown> {
    const flag = (name: string) => words[words.indexOf(name) + 1] ?? ''
    const other = this.running === 'a' ? 'b' : 'a'
    switch (words[0]) {
      case 'state':
      case 'status':
        return { ...this.status(), ...this.statusOverrides }
      case 'health':
        return this.health()
      case 'arm': {
        const [, owner, id = '', root = ''] = words
        if (this.lock?.owner !== owner) throw new Refused('busy', 'another controller writes')
        const isLast = this.update?.root === root && this.update.slot === other
        if (!isLast || this.slots[other].state !== 'bootable')
          throw new Refused('state', `slot ${other} was not written with ${root} last`)
        const terms = { data: flag('--data'), commit: flag('--commit'), seconds: Number(flag('--seconds')) }
        this.update = { id, kind: 'update', slot: other, root, phase: 'armed', ...terms }
        return { ok: true, id }
      }
      case 'revert': {
        const root = this.slots[other].manifest?.slot.root ?? ''
        if (this.state === 'trial' || this.slots[other].state !== 'bootable') throw new Refused('state', 'not now')
        if (!this.previouslyCommitted.has(root))
          throw new Refused('state', `slot ${other} holds what was never committed here`)
        const terms = { data: words.includes('--with-data') ? 'as-was' : 'snapshot', commit: 'local', seconds: 300 }
        this.update = { id: 'revert-1', kind: 'revert', slot: other, root, phase: 'armed', ...terms }
        return { ok: true, id: 'revert-1', slot: other, root }
      }
      case 'reboot':
        this.start(this.clock.now() + 1000)
        return { ok: true }
      case 'commit':
        return this.commit(words[1] ?? '', words[2] ?? '')
      case 'identity':
        if (this.state === 'trial') throw new Refused('busy', 'a trial has not ended')
        this.lock = { owner: words[1] ?? '', age: 0 }
        this.identity = renewed(this.identity, (await wholeInput(input)).toString())
        return { ok: true }
      case 'release':
        this.lock = null
        return { ok: true }
      default:
        throw new Refused('usage', `no call '${words[0]}'`)
    }
  }

  private commit(id: string, root: string): unknown {
    const { update } = this
    const isIt = update?.id === id && update.root === root
    if (isIt && update.phase === 'committed') return { ok: true, slot: update.slot }
    if (!isIt || this.state !== 'trial') throw new Refused('state', 'no such trial')
    if (this.health().state !== 'healthy') throw new Refused('unhealthy', 'not healthy yet')
    this.keep(update)
    return { ok: true, slot: update.slot }
  }

  private keep(update: Update): void {
    update.phase = 'committed'
    this.committed = update.slot
    this.previouslyCommitted.add(update.root)
    this.state = 'committed'
    this.serial = this.slots[update.slot].manifest?.serial ?? this.serial
  }

  /** Applies what the host has done by itself since the last call. */
  private advance(): void {
    const { update, clock, faults } = this
    if (this.state !== 'trial' || update === null) return
    const started = this.upAt
    if (update.commit === 'local' && faults.trial === 'healthy' && clock.now() >= started + SERVICES) this.keep(update)
    else if (clock.now() >= started + update.seconds * 1000) {
      this.fallBack(
        update,
        `not committed within ${update.seconds} s: mosquitto.service`,
        started + update.seconds * 1000,
      )
    }
  }

  private start(at: number): void {
    const { update } = this
    const isTrial = update?.phase === 'armed'
    this.boots += 1
    this.upAt = at + BOOT_TIME
    this.running = isTrial ? update.slot : this.committed
    this.state = isTrial ? 'trial' : 'committed'
    if (update?.phase === 'trial') {
      update.phase = 'reverted'
      update.reason = 'restarted before it was committed'
    }
    if (!isTrial) return
    update.phase = 'trial'
    if (this.faults.trial === 'panics') this.fallBack(update, 'it never came up', at + WATCHDOG)
    if (this.faults.trial === 'never-back') this.upAt = Number.POSITIVE_INFINITY
  }

  private fallBack(update: Update, reason: string, at: number): void {
    update.phase = 'reverted'
    update.reason = reason
    this.start(at)
  }

  private health() {
    const isHealthy =
      this.clock.now() >= this.upAt + SERVICES && !(this.state === 'trial' && this.faults.trial === 'never-healthy')
    return isHealthy ? { state: 'healthy' } : { state: 'unhealthy', reasons: ['mosquitto.service'] }
  }

  private status() {
    const { manifest } = this.slots[this.running]
    const slotOf = ({ state, manifest: held }: FakeSlot) =>
      state === 'bootable' ? { state, root: held?.slot.root, serial: held?.serial } : { state }
    return {
      ...{
        protocols: [1],
        host: 'adama',
        board: 'raspberry-pi-5',
        layout: 1,
        bootId: `boot-${this.boots}`,
        uptime: 60,
      },
      ...{ slot: this.running, root: manifest?.slot.root, state: this.state, committed: this.committed },
      built: manifest?.serial.time,
      slots: { a: slotOf(this.slots.a), b: slotOf(this.slots.b) },
      previouslyCommitted: [...this.previouslyCommitted].slice(-2),
      trust: { serial: this.serial, signing: [SIGNING_LINE], revoked: [] },
      identity: this.identity,
      update: this.update,
      lock: this.lock,
      health: this.health(),
      data: { state: 'mounted', size: 40e9, used: 2e9 },
      clock: { now: 1_795_400_000, source: 'network' },
      firmware: { version: '8ba17717', time: 1_780_000_000 },
      kernel: '7.3.4+deb13-arm64',
    }
  }

  private async *cut(name: string, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const fault = this.take(this.faults.cuts, ({ call }) => call === name)
    let left = fault?.after ?? Number.POSITIVE_INFINITY
    for await (const piece of input) {
      yield piece.subarray(0, Math.min(left, piece.length))
      left -= piece.length
      if (left <= 0) throw unreachable(this, 'Connection reset by peer')
    }
    if (fault !== undefined) throw unreachable(this, 'Connection reset by peer')
  }

  private take<T>(list: T[], which: (each: T) => boolean): T | undefined {
    const index = list.findIndex(which)
    return index === -1 ? undefined : list.splice(index, 1)[0]
  }
}
