import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FakeDevice, type Shell } from './fake-device.ts'
import { memory } from './temp.ts'
import { PROJECT } from './toolchain.ts'

/**
 * What happens in one start.
 * `healthy`: it becomes healthy, and a user reboots it. `unplugged`: it becomes healthy, and loses its power later.
 * `panic`: a reset before it is healthy. `unhealthy`: the SSH server runs, and a committed slot is reset, or a trial reaches
 * its deadline. `stuck`: an emergency mode that the agent records. `broken`: its initramfs cannot start the slot.
 * `power-cut` and `reboot`: the owner, before it is healthy.
 */
export const OUTCOMES = [
  ...(['healthy', 'unplugged', 'panic', 'unhealthy', 'stuck', 'broken', 'power-cut', 'reboot'] as const),
]
export type Outcome = (typeof OUTCOMES)[number]

/** One start: the slot, whether it was a trial, and the state afterwards. */
export interface Started {
  readonly slot: string
  readonly kind: 'start' | 'trial' | 'armed'
  readonly outcome: Outcome
  readonly committed: string
  readonly failed: number
  readonly stays: boolean
  /** Number of writes to the record in this start. */
  readonly writes: number
}

const textOf = (path: string) => readFileSync(join(PROJECT, 'overlays/device', path), 'utf8')
const PARTS = ['record', 'starts', 'trial', 'watch'].map((name) => textOf(`agent/${name}.sh`)).join('\n')
const RESCUE = textOf('initramfs/other-slot.sh')

/** The real state machine on a record in memory. Everything that it asks a machine for comes from the world below. */
const STUBS = `
RECORD='' RECORD_SEQUENCE=0
record_load() { :; }
record_write() { RECORD_SEQUENCE=$((RECORD_SEQUENCE + 1)); }
record_set() { record_change "$@"; }
say() { :; }
sync() { :; }
rm() { :; }
sleep() { :; }
publish_starts() { :; }
selector_write() { SELECTED=$1; }
committed_roots() { echo root-a root-b; }
fact() { echo "$FLAGGED"; }
firmware_number() { echo "$COUNT"; }
other_can_boot() { :; }
has_boot_sector() { :; }
boot_other_slot() { FLAG=1; }
ssh_runs() { [ $outcome = unhealthy ]; }
start_ssh() { :; }
systemctl() { case $1 in is-system-running) echo stopping ;; esac; }
flock() { :; }
`

/** A firmware that counts starts, and one start of the committed slot or of the slot on trial. */
const WORLD = `
TRYBOOT=0 IDENTITY=there RUN=$FAKE_ROOT
power_cut() { COUNT=0 FLAG=0; }
run_start() {
  starts_load $SLOT
  note_stage
  case $outcome in
    healthy) record_healthy; end_watch ;;
    unplugged) record_healthy; power_cut ;;
    stuck) start_failed stuck ;;
    broken) PARTITION=2; [ $SLOT = a ] || PARTITION=3; arm_other_slot broken ;;
    power-cut) power_cut ;;
    reboot) end_watch ;;
  esac
}
run_trial_start() {
  record_set phase trial root root-$SLOT
  case $outcome in
    healthy | reboot) commit_now ;;
    unplugged | power-cut) power_cut ;;
    unhealthy) stay_here unhealthy || record_set reason 'not committed within 300 seconds' ;;
    broken | stuck) record_set reason "$outcome" ;;
  esac
}
start() {
  COUNT=$(((COUNT + 1) % 256)) FLAGGED=$FLAG FLAG=0 kind=start written=$RECORD_SEQUENCE
  SLOT=$SELECTED OTHER=a
  [ $SLOT = b ] || OTHER=b
  if [ $FLAGGED = 1 ]; then
    kind=trial swap=$SLOT SLOT=$OTHER OTHER=$swap
    ROOT_HASH=root-$SLOT
    run_trial_start
  else
    ROOT_HASH=root-$SLOT
    starts_begin $SLOT $OTHER $COUNT
    if [ $NEXT = trial ]; then kind=armed FLAG=1; else run_start; fi
  fi
  starts_load $SELECTED
  stays=no
  record_read starts_stays
  [ -z "$VALUE" ] || stays=yes
  echo "$SLOT $kind $outcome $SELECTED $FAILED $stays $((RECORD_SEQUENCE - written))"
}
while read -r line; do
  RECORD="kind update\${NL}phase committed\${NL}slot a\${NL}committed a\${NL}previously_committed root-a root-b\${NL}"
  SELECTED=a COUNT=0 FLAG=0
  for outcome in $line; do start; done
  echo end
done
`

/** Runs sequences of starts under a shell. `weaken` removes a rule, for a negative control. */
export async function runStarts(
  shell: Shell,
  sequences: readonly (readonly Outcome[])[],
  weaken: (text: string) => string = (text) => text,
): Promise<Started[][]> {
  const device = await FakeDevice.under(shell, memory())
  const script = `RUN=\nDATA_DIR=\n${weaken(PARTS + RESCUE)}\n${STUBS}\n${WORLD}`
  return chunksOf(sequences).flatMap((some) => {
    const { stdout, said } = device.run(script, { input: some.map((each) => `${each.join(' ')}\n`).join('') })
    const runs = stdout.split('end\n').slice(0, -1)
    if (runs.length !== some.length) throw new Error(`${runs.length} of ${some.length} sequences ran: ${said}`)
    return runs.map((run) => run.split('\n').filter(Boolean).map(parseLine))
  })
}

/** Few sequences for each shell, because a busy machine may need long for them. */
function chunksOf<T>(all: readonly T[], size = 8): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, at * size + size))
}

function parseLine(line: string): Started {
  const [slot = '', kind, outcome, committed = '', failed, stays, writes] = line.split(' ')
  return {
    ...{ slot, kind: kind as Started['kind'], outcome: outcome as Outcome, committed },
    ...{ failed: Number(failed), stays: stays === 'yes', writes: Number(writes) },
  }
}
