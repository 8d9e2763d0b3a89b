import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { copyDisk } from '../../flash/vm/disk.ts'
import { adama } from '../../hosts/adama.ts'
import { agentStatus, committed, healthy, type Lab, makeLab, must } from '../helpers/lab.ts'
import { eventually, type TestVm } from '../helpers/vm.ts'
import { countEntries } from './write-log.ts'

/** Everything that a host wrote to its disk from its first start on: through an update, and a revert of it. */
export interface Recording {
  /** The disk before it was ever started. */
  readonly base: string
  readonly log: string
  /** So many entries the log had when each began and when each was over and was committed. */
  readonly marks: Readonly<
    Record<'stageBegins' | 'updateBegins' | 'updateEnds' | 'revertBegins' | 'revertEnds', number>
  >
  /** Root hashes of slot a's generation and of the one that the update brings to slot b. */
  readonly roots: { readonly a: string; readonly b: string }
  remove(): void
}

/**
 * What a service's data says of whose they are. On trial they are changed, as by a program that migrates its database;
 * slot b has some of a generation before that; and after the update they change once more.
 */
export const PROBE = {
  service: 'mosquitto',
  stale: 'stale',
  before: 'before',
  migrated: 'migrated',
  later: 'later',
} as const

const LIVE = `/run/hangar/data/${PROBE.service}/probe`

/** Seconds: two emulated cores that write a log are slow. */
const PATIENCE = 1500
const SOURCE = `overlays/services/${PROBE.service}/service.ts`

/** Where HANGAR_RECORDING names a directory the recording is kept there, and taken from there the next time. */
export async function record(): Promise<Recording> {
  const kept = process.env.HANGAR_RECORDING
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'hangar-recording-'))
  const path = (name: string) => join(directory, name)
  if (!existsSync(path('facts.json'))) await recordInto(path)
  const facts = JSON.parse(readFileSync(path('facts.json'), 'utf8')) as Pick<Recording, 'marks' | 'roots'>
  const remove = () => kept === undefined && rmSync(directory, { recursive: true, force: true })
  return { ...facts, base: path('base.img'), log: path('writes.log'), remove }
}

async function recordInto(path: (name: string) => string): Promise<void> {
  const lab = await makeLab()
  try {
    rmSync(path('writes.log'), { force: true })
    await copyDisk(lab.disk, path('base.img'), adama.disk)
    const a = lab.built()
    const vm = await lab.boot({ writeLog: path('writes.log') })
    const marks = await changes(lab, vm, () => countEntries(path('writes.log'))).finally(() => vm.powerCut())
    writeFileSync(path('facts.json'), JSON.stringify({ marks, roots: { a, b: lab.built() } }))
  } finally {
    lab.remove()
  }
}

async function changes(lab: Lab, vm: TestVm, now: () => number): Promise<Recording['marks']> {
  await healthy(vm, PATIENCE)
  const staleCopy = `/data/${PROBE.service}@b`
  await vm.shell(`btrfs -q subvolume create ${staleCopy} && echo ${PROBE.stale} >${staleCopy}/probe`)
  await vm.shell(`echo ${PROBE.before} >${LIVE} && sync`)
  const stageBegins = now()
  // The update writes over a generation that could boot.
  lab.edit(SOURCE, 'autosave_interval 300', 'autosave_interval 301')
  await must(lab.onHost(vm, 'flash', '--stage'))
  lab.edit(SOURCE, 'autosave_interval 301', 'autosave_interval 302')
  const updateBegins = now()
  const flashing = must(lab.onHost(vm, 'flash', '--trial-seconds', String(PATIENCE)))
  await Promise.all([flashing, migrated(vm)])
  await requireCommitted(vm, 'b')
  const updateEnds = now()
  await vm.shell(`echo ${PROBE.later} >${LIVE} && sync`)
  const revertBegins = now()
  await revert(vm)
  await requireCommitted(vm, 'a')
  return { stageBegins, updateBegins, updateEnds, revertBegins, revertEnds: now() }
}

/** Writes on the trial what its service would, which has no shell, and leaves it to the host to get it onto the disk. */
async function migrated(vm: TestVm): Promise<void> {
  const isOnTrial = 'grep -qx SLOT=b /run/hangar/boot && [ -e /run/hangar/trial ]'
  await eventually(async () => {
    await vm.shell(`${isOnTrial} && mountpoint -q ${dirname(LIVE)} && echo ${PROBE.migrated} >${LIVE}`)
    return true
  }, PATIENCE)
}

/** As the command does it, but with more time for the trial: a revert of a real machine needs no more than it has. */
async function revert(vm: TestVm): Promise<void> {
  const starts = vm.starts.length
  await vm.shell('/usr/lib/hangar/agent revert')
  await vm.shell(
    `RUN=/run/hangar; IDENTITY=$(sed -n 's/^IDENTITY=//p' $RUN/boot); . /usr/lib/hangar/record; record_set seconds ${PATIENCE}`,
  )
  await vm.shell('/usr/lib/hangar/agent reboot')
  await eventually(async () => vm.starts.length > starts, PATIENCE)
  await committed(vm, PATIENCE)
}

/** What follows a commit is written too. */
async function requireCommitted(vm: TestVm, slot: 'a' | 'b'): Promise<void> {
  const { state, slot: runs } = await agentStatus(vm)
  if (state !== 'committed' || runs !== slot) throw new Error(`slot ${runs} is ${state}, wanted ${slot} committed`)
  await vm.shell('sync')
}
