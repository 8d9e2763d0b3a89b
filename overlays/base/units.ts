import { type FileTree, file, symlink } from '../../images/tree.ts'

/** Units that a read-only root without package installation does not need or cannot run. */
const MASKED = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'sshd-keygen.service',
  'ldconfig.service',
  'systemd-firstboot.service',
  'systemd-update-done.service',
  'systemd-machine-id-commit.service',
  'systemd-hwdb-update.service',
  'systemd-journal-catalog-update.service',
  'systemd-sysusers.service',
  'systemd-networkd-wait-online.service',
  'netavark-dhcp-proxy.socket',
  'netavark-dhcp-proxy.service',
  'netavark-firewalld-reload.service',
  'podman.socket',
  'podman.service',
  'podman-auto-update.timer',
  'podman-restart.service',
  'podman-clean-transient.service',
  'getty@tty1.service',
  'getty-static.service',
  'console-getty.service',
  'serial-getty@.service',
  'autovt@.service',
  'systemd-pcrphase.service',
  'systemd-pcrphase-sysinit.service',
  'systemd-pcrmachine.service',
  'systemd-tpm2-setup.service',
  'systemd-tpm2-setup-early.service',
  'systemd-sysext.service',
  'systemd-confext.service',
  'systemd-boot-update.service',
  'systemd-battery-check.service',
  'systemd-remount-fs.service',
  'systemd-pstore.service',
  'nfs-client.target',
  'remote-fs.target',
  'rpcbind.service',
] as const

/** The enabled units, and the targets that start them. This list is complete, because the packages enable no units. */
const ENABLED: Readonly<Record<string, string>> = {
  'hangar-data.service': 'local-fs.target',
  'hangar-console@tty1.service': 'getty.target',
  'systemd-networkd.service': 'multi-user.target',
  'systemd-networkd.socket': 'sockets.target',
  'systemd-resolved.service': 'sysinit.target',
  'systemd-timesyncd.service': 'sysinit.target',
  'nftables.service': 'sysinit.target',
  'ssh.service': 'multi-user.target',
  'prometheus-node-exporter.service': 'multi-user.target',
}

const COLLECTORS = [
  ...['cpu', 'meminfo', 'loadavg', 'filesystem', 'diskstats', 'netdev', 'stat', 'time', 'timex', 'uname', 'vmstat'],
  ...['pressure', 'thermal_zone', 'hwmon', 'systemd', 'btrfs', 'textfile'],
]

// Selects the units with metrics of their own: only the services of the host, because each unit costs five time series
// and a call to systemd at each scrape. Health checks of containers have a new name at each start. The number of failed
// units still counts all units.
const EXPORTER = [
  '--collector.disable-defaults',
  ...COLLECTORS.map((name) => `--collector.${name}`),
  '--collector.systemd.unit-include=.+[.]service',
  '--collector.systemd.unit-exclude=([0-9a-f]{64}-|systemd-|modprobe@).+',
  '--collector.textfile.directory=/var/lib/prometheus/node-exporter',
]

export interface UnitOptions {
  /** The volumes, each as `NAME:UID:GID:BYTES`. */
  readonly data: readonly string[]
  readonly shell: 'none' | 'root'
}

export function unitFiles({ data, shell }: UnitOptions): FileTree {
  const masked = MASKED.map((name) => [`/etc/systemd/system/${name}`, symlink('/dev/null')] as const)
  const enabled = Object.entries(ENABLED).map(([unit, target]) => {
    const source = unit.startsWith('hangar-')
      ? `/etc/systemd/system/${unit.replace(/@.*\./, '@.')}`
      : `/usr/lib/systemd/system/${unit}`
    return [`/etc/systemd/system/${target}.wants/${unit}`, symlink(source)] as const
  })
  return {
    ...Object.fromEntries([...masked, ...enabled]),
    '/etc/systemd/system/hangar-data.service': file(dataUnit(data)),
    '/etc/systemd/system/hangar-console@.service': file(consoleUnit(shell)),
    '/usr/lib/systemd/system-generators/hangar-console': file(CONSOLE_GENERATOR, 0o755),
    '/etc/systemd/system.conf.d/hangar.conf': file(WATCHDOG),
    '/etc/systemd/journald.conf.d/hangar.conf': file(
      '[Journal]\nStorage=persistent\nSystemMaxUse=256M\nRuntimeMaxUse=16M\nSystemKeepFree=1G\n',
    ),
    '/etc/default/prometheus-node-exporter': file(`ARGS="${EXPORTER.join(' ')}"\n`),
    '/etc/systemd/system/hangar.slice': file(SLICE),
  }
}

// Sets all watchdog timeouts explicitly, within the limit of the board's watchdog: the driver would wrap longer
// timeouts around.
const WATCHDOG =
  '[Manager]\nRuntimeWatchdogSec=15\nRebootWatchdogSec=15\nKExecWatchdogSec=15\nDefaultTimeoutStopSec=30\n'

// At boot the services get less processor time than devices, network and ssh, so that the host is soon reachable.
const SLICE = '[Unit]\nDescription=Services of this host\n\n[Slice]\nStartupCPUWeight=20\n'

function dataUnit(data: readonly string[]): string {
  return [
    '[Unit]',
    'Description=Data volume and /var of this slot',
    'DefaultDependencies=no',
    'Wants=systemd-udevd.service',
    'After=systemd-udevd.service systemd-modules-load.service',
    'Before=local-fs.target systemd-journal-flush.service systemd-tmpfiles-setup.service systemd-random-seed.service systemd-timesyncd.service systemd-resolved.service systemd-networkd-persistent-storage.service',
    'Conflicts=umount.target',
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/usr/lib/hangar/data ${data.join(' ')}`.trimEnd(),
    'TimeoutStartSec=120',
    '',
  ].join('\n')
}

function consoleUnit(shell: 'none' | 'root'): string {
  return [
    '[Unit]',
    'Description=Console menu on %I',
    'After=hangar-data.service systemd-user-sessions.service',
    'IgnoreOnIsolate=yes',
    // Removes the limit on restarts, because the menu starts again each time a user leaves it.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `ExecStart=/usr/lib/hangar/console ${shell}`,
    'Type=idle',
    'Restart=always',
    'RestartSec=1',
    'StandardInput=tty-force',
    'StandardOutput=tty',
    'TTYPath=/dev/%I',
    'TTYReset=yes',
    'TTYVHangup=yes',
    'Environment=TERM=linux',
    '',
  ].join('\n')
}

/** Starts the console menu on the serial console, whose name differs between machines. */
const CONSOLE_GENERATOR = `#!/bin/sh
# Starts the console menu on each serial console that the kernel uses.
set -eu
wants=$1/getty.target.wants
for console in $(cat /sys/class/tty/console/active); do
  case $console in
    tty[0-9]* | tty) ;;
    *)
      mkdir -p "$wants"
      ln -sf /etc/systemd/system/hangar-console@.service "$wants/hangar-console@$console.service"
      ;;
  esac
done
`
