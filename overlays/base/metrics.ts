import { type FileTree, file, symlink } from '../../images/tree.ts'

const TIMER = '/etc/systemd/system/hangar-metrics.timer'

/** The units that publish the counters of the firewall and of the volumes, once a minute. */
export function metricsFiles(): FileTree {
  return {
    '/etc/systemd/system/hangar-metrics.service': file(
      [
        '[Unit]',
        'Description=Metrics of the firewall and of the volumes',
        'After=hangar-data.service',
        '',
        '[Service]',
        'Type=oneshot',
        'ExecStart=/usr/lib/hangar/metrics',
        'Nice=10',
        'TimeoutStartSec=30',
        // Leaves out the two lines of each run in the journal.
        'LogLevelMax=notice',
        '',
      ].join('\n'),
    ),
    [TIMER]: file(
      [
        '[Unit]',
        'Description=Metrics of the firewall and of the volumes, once a minute',
        '',
        '[Timer]',
        'OnBootSec=1min',
        'OnUnitActiveSec=1min',
        // Lets the timer run together with others.
        'AccuracySec=10s',
        '',
      ].join('\n'),
    ),
    '/etc/systemd/system/timers.target.wants/hangar-metrics.timer': symlink(TIMER),
  }
}
