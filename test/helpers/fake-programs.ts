import type { FakeDevice } from './fake-device.ts'

/**
 * A fake mount that copies the files out of a boot file system. It fails if the first sectors of the file system are
 * damaged.
 */
const MOUNT = `
for last; do :; done
while [ $# -gt 2 ]; do shift; done
for fat in "$FAKE_ROOT"/fat/*; do
  [ -e "$fat/head" ] && PATH=$REAL_PATH cmp -s -n "$(wc -c <"$fat/head")" "$1" "$fat/head" || continue
  while read -r name block size; do
    PATH=$REAL_PATH dd if="$1" bs=4096 skip="$block" count=$(((size + 4095) / 4096)) 2>/dev/null | head -c "$size" >"$last/$name"
  done <"$fat/table"
  echo "$last" >>"$FAKE_ROOT/mounted"
  exit 0
done
exit 32`

const UMOUNT = `
for last; do :; done
grep -qx "$last" "$FAKE_ROOT/mounted" 2>/dev/null || exit 32
rm -f "$FAKE_ROOT/mounted" "$last"/*`

/** A dd that writes until the power is cut, then fails. */
const POWER = `
left=$(cat "$FAKE_ROOT/power" 2>/dev/null || echo 999)
[ "$left" -gt 0 ] || { cat >/dev/null; exit 5; }
echo $((left - 1)) >"$FAKE_ROOT/power"`

const DD = `
case "$*" in *of=*) ${POWER} ;; esac
for word; do
  shift
  # Power is cut here and nowhere else: nothing has to wait for a medium.
  case $word in conv=*,fsync) word=\${word%,fsync} ;; oflag=direct) continue ;; esac
  set -- "$@" "$word"
done
PATH=$REAL_PATH exec dd "$@"`

const BLOCKDEV = `
[ "$1" = --getsize64 ] || exit 0
wc -c <"$2"`

/** Fakes that advance the uptime instead of waiting. */
const SLEEP = `
read -r now idle <"$FAKE_ROOT/proc/uptime"
echo "$((\${now%.*} + $1)).00 $idle" >"$FAKE_ROOT/proc/uptime"`

/** The file `systemd/started` is the output of systemctl after the start. Without the file, the system never finishes starting. */
const SYSTEMCTL = `
case "$*" in
  *--wait)
    mv "$FAKE_ROOT/systemd/started" "$FAKE_ROOT/systemd/state" 2>/dev/null && exit
    # As long as \`timeout\`, which called it, lets it.
    set -- $(tr '\\0' ' ' </proc/$PPID/cmdline)
    shift
    ${SLEEP}
    exit 124
    ;;
  is-active*) [ ! -e "$FAKE_ROOT/systemd/no-ssh" ] || exit 3 ;;
  is-system-running) cat "$FAKE_ROOT/systemd/running" 2>/dev/null || echo running ;;
  *SystemState*) cat "$FAKE_ROOT/systemd/state" ;;
  *ActiveState*) cat "$FAKE_ROOT/systemd/units" ;;
  --failed*) cat "$FAKE_ROOT/systemd/failed" 2>/dev/null ;;
  list-jobs*) cat "$FAKE_ROOT/systemd/jobs" 2>/dev/null ;;
esac`

const DATE = `
case "$*" in
  +%s) cat "$FAKE_ROOT/now" ;;
  *) PATH=$REAL_PATH exec date "$@" ;;
esac`

const IP = `
case "$*" in
  "-4 route "*) cat "$FAKE_ROOT/net/route" 2>/dev/null ;;
  "-6 route "*) cat "$FAKE_ROOT/net/route-6" 2>/dev/null ;;
  *neigh*) cat "$FAKE_ROOT/net/neigh" 2>/dev/null ;;
esac`

/** The file `net/tables` lists the tables of the firewall. */
const NFT = `
[ "$1 $2 $3" = '-t list table' ] && grep -qx "$4 $5" "$FAKE_ROOT/net/tables"`

const DF = `
for last; do :; done
echo size avail
cat "$FAKE_ROOT/df/\${last##*/}"`

/** Fakes of programs that must not change this machine. They answer as on a healthy host. */
export function fakePrograms(device: FakeDevice): void {
  const programs = { mount: MOUNT, umount: UMOUNT, dd: DD, blockdev: BLOCKDEV, systemctl: SYSTEMCTL, date: DATE }
  const others = { ip: IP, nft: NFT, sleep: SLEEP, df: DF, sync: ':', ping: ':', modprobe: 'exit 1', mountpoint: ':' }
  for (const [name, body] of Object.entries({ ...programs, ...others })) device.fake(name, body)
  device.write('systemd/state', 'SystemState=running\nNFailedUnits=0\n')
  device.write('systemd/units', 'Id=grafana.service\nActiveState=active\nMemoryMax=268435456\n')
  device.write('net/route', 'default via 192.0.2.1 dev end0 proto static\n')
  device.write('net/route-6', '')
  device.write('net/tables', 'inet hangar\n')
  device.write('net/file', '[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.1\n')
  device.write('df/data', '1000000000 500000000\n')
  device.write('df/run', '100000\n')
  device.write('proc/meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n')
  device.write('sys/fs/cgroup/cgroup.controllers', 'cpu memory pids\n')
  device.write('services/grafana.container', '')
}

/** The real `blocks`, compiled at its first call. It fails after a power cut, as the fake dd does. */
export const blocksProgram = (real: string, compile: string) => `#!/bin/sh
printf '%s\\n' "blocks $*" >>"$FAKE_ROOT/calls"
[ "$1" != write ] || { ${POWER}
}
[ -x "${real}" ] || ${compile} -o "${real}" || exit 9
exec "${real}" "$@"
`
