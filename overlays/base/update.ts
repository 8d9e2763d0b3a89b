import { planSelector } from '../../images/disk/selector.ts'
import { type FileTree, file, symlink } from '../../images/tree.ts'

export interface UpdateFacts {
  readonly name: string
  readonly board: string
  /** The lock's time in seconds since 1970: no clock is right that is earlier. */
  readonly time: number
  /** The host file's number: with the time the image's serial. */
  readonly number: number
  /** Public keys whose signature the host accepts on updates, once this image is committed. */
  readonly signingKeys: readonly string[]
}

/** What the agent (`overlays/device/agent`) knows of its host, and the units of a trial. */
export function updateFiles({ name, board, time, number, signingKeys }: UpdateFacts): FileTree {
  const { head, sector, autoboot } = planSelector()
  const facts = [
    '# shellcheck shell=sh disable=SC2034',
    `HOST='${name}'`,
    `BOARD='${board}'`,
    'LAYOUT=1',
    `BUILT=${time}`,
    `SELECTOR_SECTOR=${sector}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
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
    '/etc/systemd/system/emergency.target.d/hangar.conf': file('[Unit]\nWants=hangar-abandon.service\n'),
    '/etc/systemd/system/rescue.target.d/hangar.conf': file('[Unit]\nWants=hangar-abandon.service\n'),
  }
}

/** Whether this start is a trial, decided in the initramfs. */
const ON_TRIAL = 'ConditionPathExists=/run/hangar/trial'

// It waits for nothing but the base, so that what never becomes healthy cannot keep it from starting. Were it killed, the
// trial would end at the initramfs' deadline without a reason; nor does a shutdown stop it, which it ends where that hangs
// (hence no Requires=, which hands on a stop).
const TRIAL = [
  '[Unit]',
  'Description=Health of this trial, and its commit',
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

const ABANDON = [
  '[Unit]',
  'Description=End of a trial that came up in emergency mode',
  'DefaultDependencies=no',
  ON_TRIAL,
  '',
  '[Service]',
  'Type=exec',
  'ExecStart=/usr/lib/hangar/agent abandon "it came up in emergency mode"',
  '',
].join('\n')
