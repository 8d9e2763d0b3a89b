import { planSelector } from '../../images/disk/selector.ts'
import { type FileTree, file, symlink } from '../../images/tree.ts'

export interface UpdateFacts {
  readonly name: string
  readonly board: string
  /** The time of the lock, in seconds since 1970. A host whose clock shows an earlier time has a wrong clock. */
  readonly time: number
  /** The number in the host file. Time and number together are the serial of the image. */
  readonly number: number
  /** Public keys that may sign updates of the host once this image is committed. */
  readonly signingKeys: readonly string[]
}

/** The facts about the host for the agent (`overlays/device/agent`), and the units of a trial and of a committed start. */
export function updateFiles({ name, board, time, number, signingKeys }: UpdateFacts): FileTree {
  const { head, sector, autoboot } = planSelector()
  const facts = [
    '# shellcheck shell=sh disable=SC2034',
    `HOST='${name}'`,
    `BOARD='${board}'`,
    'LAYOUT=1',
    `BUILT=${time}`,
    `SELECTOR_SECTOR=${sector}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
    'DATA_DIR=${HANGAR_DATA:-/data}',
    '',
  ]
  return {
    '/usr/lib/hangar/facts': file(facts.join('\n')),
    '/usr/lib/hangar/signing': file(signingKeys.map((key) => `${key}\n`).join('')),
    '/usr/lib/hangar/serial': file(`${time} ${number}\n`),
    '/usr/lib/hangar/selector-head': file(head),
    '/usr/lib/hangar/autoboot-a': file(autoboot.a),
    '/usr/lib/hangar/autoboot-b': file(autoboot.b),
    '/etc/systemd/system/hangar-trial.service': file(TRIAL),
    '/etc/systemd/system/multi-user.target.wants/hangar-trial.service': symlink(
      '/etc/systemd/system/hangar-trial.service',
    ),
    '/etc/systemd/system/hangar-abandon.service': file(ABANDON),
    '/etc/systemd/system/hangar-watch.service': file(WATCH),
    '/etc/systemd/system/multi-user.target.wants/hangar-watch.service': symlink(
      '/etc/systemd/system/hangar-watch.service',
    ),
    '/etc/systemd/system/hangar-start-failed.service': file(START_FAILED),
    '/etc/systemd/system/emergency.target.d/hangar.conf': file(ON_EMERGENCY),
    '/etc/systemd/system/rescue.target.d/hangar.conf': file(ON_EMERGENCY),
  }
}

/** Starts only on a trial: the initramfs then creates this file. */
const ON_TRIAL = 'ConditionPathExists=/run/hangar/trial'

// The unit of the trial. It waits for the base only, so that an unhealthy service cannot delay it. systemd restarts it
// if it is killed: without this unit, the trial would end at the deadline of the initramfs, without a reason. A
// shutdown does not stop it, so that it can end a shutdown that hangs. For this reason it has no Requires=, which would
// also stop it.
const TRIAL = [
  '[Unit]',
  'Description=Health checks and commit of a trial',
  'DefaultDependencies=no',
  'Wants=sysinit.target',
  'After=sysinit.target basic.target',
  ON_TRIAL,
  '',
  '[Service]',
  'Type=exec',
  'ExecStart=/usr/lib/hangar/agent trial',
  'Restart=on-failure',
  'OOMScoreAdjust=-900',
  '',
].join('\n')

const ON_EMERGENCY = '[Unit]\nWants=hangar-abandon.service hangar-start-failed.service\n'

const NOT_ON_TRIAL = 'ConditionPathExists=!/run/hangar/trial'

// The unit of a start of the committed slot. A shutdown stops it, and ExecStop then records that a user has ended the
// start. For this, the unit stays active after the host is healthy.
const WATCH = [
  '[Unit]',
  'Description=Watch over a start of the committed slot',
  'DefaultDependencies=no',
  'Wants=sysinit.target',
  'After=sysinit.target basic.target',
  'Conflicts=shutdown.target',
  'Before=shutdown.target',
  NOT_ON_TRIAL,
  '',
  '[Service]',
  'Type=exec',
  'RemainAfterExit=yes',
  'ExecStart=/usr/lib/hangar/agent watch',
  'ExecStop=/usr/lib/hangar/agent watch-end',
  'Restart=on-failure',
  'OOMScoreAdjust=-900',
  '',
].join('\n')

const START_FAILED = [
  '[Unit]',
  'Description=Record of a start that ended in emergency mode',
  'DefaultDependencies=no',
  NOT_ON_TRIAL,
  '',
  '[Service]',
  'Type=exec',
  'ExecStart=/usr/lib/hangar/agent watch-failed "it came up in emergency mode"',
  '',
].join('\n')

const ABANDON = [
  '[Unit]',
  'Description=End of a trial that booted into emergency mode',
  'DefaultDependencies=no',
  ON_TRIAL,
  '',
  '[Service]',
  'Type=exec',
  'ExecStart=/usr/lib/hangar/agent abandon "it came up in emergency mode"',
  '',
].join('\n')
