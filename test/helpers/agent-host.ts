import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { planSelector } from '../../images/disk/selector.ts'
import { MIB, SELECTOR_SIZE } from '../../images/layout.ts'
import type { Slot } from '../../images/names.ts'
import { updateFiles } from '../../overlays/base/update.ts'
import { type AgentImage, BOOT_SIZE } from './agent-image.ts'
import { RECORD_PLACES, type RecordText, readRecord, recordBlock } from './agent-record.ts'
import { describeOnShells, FakeDevice, onPath, type Ran, type RunOptions, type Shell } from './fake-device.ts'
import { blocksProgram, fakePrograms } from './fake-programs.ts'
import { compileCommand, partsOfBlocks } from './native-program.ts'
import { memory } from './temp.ts'
import { PROJECT } from './toolchain.ts'
import { SIGNING_LINE } from './update-image.ts'

/** The lock time of the running image. The host's clock is 1000 seconds later. */
export const BUILT = 1_795_000_000
const NOW = BUILT + 1000
export const RUNNING_ROOT = 'aa'.repeat(32)
/** Sizes of the partitions in bytes. */
export const SIZES = { slot: MIB, boot: BOOT_SIZE, identity: 32 * MIB }

const AGENT = join(PROJECT, 'overlays/device/agent')
export const PARTS = readdirSync(AGENT).filter((name) => name.endsWith('.sh'))
const textOf = (path: string) => readFileSync(join(PROJECT, path), 'utf8')
/** The agent needs these programs of the machine, because busybox's shell would run its own applets instead. */
const OF_THE_HOST = ['cmp', 'sha256sum', 'find', 'timeout', 'grep', 'sed', 'head', 'od']
const WANTED = ['cc', 'jq', 'zstd', 'ssh-keygen', 'flock']

const MEMORY = memory()
let blocks = ''

/** Runs the tests under both shells, with the real `blocks`. Skips them if a program is missing on this machine. */
export function describeAgent(title: string, tests: (shell: Shell) => void): void {
  const missing = WANTED.filter((name) => onPath(name) === undefined)
  if (missing.length > 0) {
    console.warn(`skipped: ${title}, because ${missing.join(', ')} is not in PATH`)
    describe(title, () => it.skip(`${missing.join(', ')} is not in PATH`))
    return
  }
  beforeAll(() => {
    if (blocks === '') blocks = join(mkdtempSync(join(MEMORY, 'hangar-agent-')), 'blocks')
  })
  afterAll(() => {
    if (blocks !== '') rmSync(join(blocks, '..'), { recursive: true, force: true })
    blocks = ''
  })
  describeOnShells(title, tests)
}

export interface HostOptions {
  readonly slot?: Slot
  /** Value of the trial flag that the firmware reports for this boot. */
  readonly tryboot?: 0 | 1
  readonly root?: string
  /** The record of the last update. */
  readonly record?: RecordText
  readonly selector?: Slot | 'damaged'
}

export interface Called extends Ran {
  /** Answer of the call. */
  readonly answer: Readonly<Record<string, unknown>>
  /** Error code of the answer, undefined if the call succeeded. */
  readonly error: string | undefined
  readonly message: string
}

/** The agent on a fake device, with files as partitions. */
export class AgentHost {
  readonly device: FakeDevice
  private readonly lib = new Map<string, string>()

  private constructor(device: FakeDevice) {
    this.device = device
  }

  static async under(shell: Shell, options: HostOptions = {}): Promise<AgentHost> {
    const host = new AgentHost(await FakeDevice.under(shell, MEMORY))
    host.install()
    host.partitions()
    fakePrograms(host.device)
    host.start(options)
    return host
  }

  /** Boots again: clears /run, and keeps the disk and the trial flag. */
  start({ slot = 'a', tryboot = 0, root = RUNNING_ROOT, record, selector }: HostOptions = {}): void {
    const { device } = this
    rmSync(device.path('run'), { recursive: true, force: true })
    const names = ['selector', 'boot-a', 'boot-b', 'identity', 'slot-a', 'slot-b', 'data']
    const places = names.map((name) => `${name.toUpperCase().replace('-', '_')}=${device.path(`dev/${name}`)}\n`)
    device.write('run/boot', `SLOT=${slot}\nTRYBOOT=${tryboot}\nROOT_HASH=${root}\n${places.join('')}`)
    device.write('run/identity/trust/signing', `${SIGNING_LINE}\n`)
    device.write('run/identity/trust/revoked', '')
    device.write('run/identity/trust/serial', '0 0\n')
    device.write('proc/uptime', '100.25 50.00\n')
    device.write('now', `${NOW}\n`)
    if (record !== undefined) this.remember(record)
    if (selector !== undefined) this.select(selector)
  }

  /** Runs the agent. */
  call(args: readonly string[], input: RunOptions['input'] = ''): Called {
    const ran = this.run(this.lib.get('agent') ?? '', args, input)
    const answer = jsonOf(ran.stdout)
    const { code, message = '' } = (answer.error ?? {}) as { code?: string; message?: string }
    return { ...ran, answer, error: code, message }
  }

  /** Runs shell code that can call all functions of the agent. */
  shell(words: string, input: RunOptions['input'] = ''): Ran {
    return this.run((this.lib.get('agent') ?? '').replace('\nmain "$@"\n', `\nload_facts\n${words}\n`), [], input)
  }

  /** Removes a check from the agent, for a negative control. Throws if `from` does not occur. */
  weaken(part: string, from: string | RegExp, to: string): this {
    const text = this.lib.get(part) ?? ''
    const without = text.replace(from, to)
    if (without === text) throw new Error(`'${from}' is not in ${part}`)
    this.setPart(part, without)
    return this
  }

  remember(record: RecordText, sequence = 7): void {
    this.poke('identity', RECORD_PLACES[0], recordBlock(sequence, record))
    this.poke('identity', RECORD_PLACES[1], Buffer.alloc(4096))
  }

  get record(): RecordText | undefined {
    // Reads only the two copies of the record, because the partition is large.
    const identity = Buffer.alloc(RECORD_PLACES[1] + 4096)
    for (const place of RECORD_PLACES) this.peek('identity', place, identity.subarray(place, place + 4096))
    return readRecord(identity)?.keys
  }

  /** Writes a complete, bootable image to a slot. */
  hold(slot: Slot, image: AgentImage): void {
    this.know(image)
    this.poke(`slot-${slot}`, 0, image.slot)
    this.poke(`boot-${slot}`, 0, image.boot)
  }

  /** Registers the files of a boot file system, so that the fake mount finds them by its head. */
  know({ root, text, fat }: AgentImage): void {
    const name = `fat/${root}-${text.length}-${Buffer.from(text).readUInt32LE(0)}`
    this.device.write(`${name}/head`, fat.head)
    this.device.write(`${name}/table`, fat.table)
  }

  select(slot: Slot | 'damaged'): void {
    const { head, sector, autoboot } = planSelector()
    this.poke('selector', 0, head)
    this.poke('selector', sector * 512, slot === 'damaged' ? Buffer.alloc(512, '[all]\n') : autoboot[slot])
  }

  get selected(): string {
    const { sector, autoboot } = planSelector()
    const have = this.peek('selector', sector * 512, Buffer.alloc(512))
    return (['a', 'b'] as const).find((slot) => have.equals(Buffer.from(autoboot[slot]))) ?? 'damaged'
  }

  get armed(): string {
    return this.device.read('sys/module/hangar_tryboot/parameters/armed').trim()
  }

  partition(name: string): Buffer {
    return readFileSync(this.device.path(`dev/${name}`))
  }

  peek(name: string, offset: number, into: Buffer): Buffer {
    const file = openSync(this.device.path(`dev/${name}`), 'r')
    readSync(file, into, 0, into.length, offset)
    closeSync(file)
    return into
  }

  poke(name: string, offset: number, bytes: Uint8Array): void {
    const file = openSync(this.device.path(`dev/${name}`), 'r+')
    writeSync(file, bytes, 0, bytes.length, offset)
    closeSync(file)
  }

  isBootable(slot: Slot): boolean {
    return this.peek(`boot-${slot}`, 0, Buffer.alloc(512)).some((byte) => byte !== 0)
  }

  setPart(part: string, text: string): void {
    this.lib.set(part, text)
    this.device.write(`lib/${part}`, text)
    chmodSync(this.device.path(`lib/${part}`), 0o755)
  }

  private run(script: string, args: readonly string[], input: RunOptions['input']): Ran {
    const { device } = this
    const at = (name: string) => device.path(name)
    const ours = {
      RUN: 'run',
      LIB: 'lib',
      PROC: 'proc',
      SYS: 'sys',
      DEV: 'dev',
      DATA: 'data',
      SERVICES: 'services',
      TEXTFILE: 'textfile',
      NETWORK: 'net/file',
    }
    const env = Object.fromEntries(Object.entries(ours).map(([name, path]) => [`HANGAR_${name}`, at(path)]))
    const functions = OF_THE_HOST.map((name) => `${name}() { "${onPath(name)}" "$@"; }\n`).join('')
    // Only writes use the fake dd.
    const dd = `dd() { case "$*" in *of=*) "${at('bin/dd')}" "$@" ;; *) "${onPath('dd')}" "$@" ;; esac; }\n`
    const others = { HANGAR_PATH: `${at('bin')}:${process.env.PATH}`, HANGAR_SYNCHRONIZED: at('synchronized') }
    return device.run(functions + dd + script, { args, input: input ?? '', env: { ...env, ...others } })
  }

  private install(): void {
    const { device } = this
    for (const name of PARTS) this.setPart(name.replace('.sh', ''), textOf(`overlays/device/agent/${name}`))
    this.setPart('identity', textOf('overlays/device/system/identity.sh').replaceAll('/dev/kmsg', device.path('kmsg')))
    this.setPart('blocks', blocksProgram(blocks, compileCommand(partsOfBlocks())))
    const facts = { name: 'adama', board: 'raspberry-pi-5', time: BUILT, number: 1, signingKeys: [SIGNING_LINE] }
    for (const [path, entry] of Object.entries(updateFiles(facts)))
      if (path.startsWith('/usr/lib/hangar/') && entry.kind === 'file')
        device.write(path.replace('/usr/lib/hangar', 'lib'), entry.content)
    device.write('proc/sys/kernel/random/uuid', '0123abcd-0000-4000-8000-000000000000\n')
    device.write('proc/sys/kernel/random/boot_id', '4567abcd-0000-4000-8000-000000000000\n')
    device.write('proc/device-tree/chosen/bootloader/build-timestamp', Buffer.from('6a1a0000', 'hex'))
    device.write('proc/device-tree/chosen/bootloader/version', 'some version\0')
    device.write('sys/module/hangar_tryboot/parameters/armed', '0\n')
  }

  private partitions(): void {
    const { slot, boot, identity } = SIZES
    const sizes = { 'slot-a': slot, 'slot-b': slot, 'boot-a': boot, 'boot-b': boot, identity, selector: SELECTOR_SIZE }
    for (const [name, size] of Object.entries(sizes)) {
      this.device.write(`dev/${name}`, '')
      truncateSync(this.device.path(`dev/${name}`), size)
    }
    this.select('a')
  }
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
