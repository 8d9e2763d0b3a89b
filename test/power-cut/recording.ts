import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { copyDisk } from '../../flash/vm/disk.ts'
import { adama } from '../helpers/adama.ts'
import { eventually } from '../helpers/eventually.ts'
import { agentStatus, committed, healthy, type Lab, makeLab, must, reboot } from '../helpers/lab.ts'
import type { TestVm } from '../helpers/vm.ts'
import { countEntries } from './write-log.ts'

/** All writes of a host to its disk: the first boot, an update, restarts of the committed slot, and a revert. */
export interface Recording {
  /** File of the disk before the first boot. */
  readonly base: string
  readonly log: string
  /** Number of log entries when each change began and after its commit. */
  readonly marks: Readonly<
    Record<
      'stageBegins' | 'updateBegins' | 'updateEnds' | 'restartBegins' | 'restartEnds' | 'revertBegins' | 'revertEnds',
      number
    >
  >
  /** Root hashes of the first generation, in slot a, and of the update, in slot b. */
  readonly roots: { readonly a: string; readonly b: string }
  remove(): void
}

/**
 * Values of a file in the data of a service, which show whose data a slot finds. Slot b has old values of an earlier
 * generation. The trial migrates the values as a program migrates its database. The values change again after the update.
 */
export const PROBE = {
  service: 'mosquitto',
  stale: 'stale',
  before: 'before',
  migrated: 'migrated',
  later: 'later',
} as const

const LIVE = `/run/hangar/data/${PROBE.service}/probe`

/** Seconds for one step. Two emulated cores that write a log are slow. */
const PATIENCE = 1500
/** Lets a shell on the host read and write the record. */
const RECORD = "RUN=/run/hangar; IDENTITY=$(sed -n 's/^IDENTITY=//p' $RUN/boot); . /usr/lib/hangar/record"
const SOURCE = `overlays/services/${PROBE.service}/service.ts`

/** Records, or reads the recording that an earlier run has kept in the directory HANGAR_RECORDING. */
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
  await startEnded(vm, 'a')
  const staleCopy = `/data/${PROBE.service}@b`
  await vm.shell(`btrfs -q subvolume create ${staleCopy} && echo ${PROBE.stale} >${staleCopy}/probe`)
  await vm.shell(`echo ${PROBE.before} >${LIVE} && sync`)
  const stageBegins = now()
  // The update must overwrite a generation that can boot.
  lab.edit(SOURCE, 'autosave_interval 300', 'autosave_interval 301')
  await must(lab.onHost(vm, 'flash', '--stage'))
  lab.edit(SOURCE, 'autosave_interval 301', 'autosave_interval 302')
  const updateBegins = now()
  const flashing = must(lab.onHost(vm, 'flash', '--trial-seconds', String(PATIENCE)))
  await Promise.all([flashing, migrate(vm)])
  await requireCommitted(vm, 'b')
  const updateEnds = now()
  await vm.shell(`echo ${PROBE.later} >${LIVE} && sync`)
  const restartBegins = now()
  await restart(vm)
  const restartEnds = now()
  const revertBegins = now()
  await revert(vm)
  await requireCommitted(vm, 'a')
  return { stageBegins, updateBegins, updateEnds, restartBegins, restartEnds, revertBegins, revertEnds: now() }
}

/**
 * Restarts the committed slot twice: once by a reset in the middle of the start, which then counts as a failed one, and once
 * until the host is healthy, which ends the count.
 */
async function restart(vm: TestVm): Promise<void> {
  await reboot(vm)
  const starts = vm.starts.length
  await vm.shell('sync; (sleep 1; echo b >/proc/sysrq-trigger) >/dev/null 2>&1 &')
  await eventually(async () => vm.starts.length > starts, PATIENCE)
  await vm.reachable(PATIENCE)
  await healthy(vm, PATIENCE)
  await startEnded(vm, 'b')
  await vm.shell('sync')
}

/** Waits until the record says that the start has ended, so that this write lies within the right change. */
async function startEnded(vm: TestVm, slot: 'a' | 'b'): Promise<void> {
  await eventually(
    async () => (await vm.shell(`${RECORD}; record_load; record_get starts`)) === `${slot} 0 0 0 ended`,
    PATIENCE,
  )
}

/** Changes the data during the trial in place of the service, which has no shell. Does not sync: the commit must do that. */
async function migrate(vm: TestVm): Promise<void> {
  const isOnTrial = 'grep -qx SLOT=b /run/hangar/boot && [ -e /run/hangar/trial ]'
  await eventually(async () => {
    await vm.shell(`${isOnTrial} && mountpoint -q ${dirname(LIVE)} && echo ${PROBE.migrated} >${LIVE}`)
    return true
  }, PATIENCE)
}

/** Reverts as the command does, but gives the trial more time, because the emulation is slow. */
async function revert(vm: TestVm): Promise<void> {
  const starts = vm.starts.length
  await vm.shell('/usr/lib/hangar/agent revert')
  await vm.shell(`${RECORD}; record_set seconds ${PATIENCE}`)
  await vm.shell('/usr/lib/hangar/agent reboot')
  await eventually(async () => vm.starts.length > starts, PATIENCE)
  await committed(vm, PATIENCE)
}

/** Requires a committed update, and syncs the later writes. */
async function requireCommitted(vm: TestVm, slot: 'a' | 'b'): Promise<void> {
  const { state, slot: runs } = await agentStatus(vm)
  if (state !== 'committed' || runs !== slot) throw new Error(`slot ${runs} is ${state}, wanted ${slot} committed`)
  await vm.shell('sync')
}
