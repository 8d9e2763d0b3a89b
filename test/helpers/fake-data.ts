import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FakeDevice, type Shell } from './fake-device.ts'
import { PROJECT } from './toolchain.ts'

export const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/data.sh'), 'utf8')
export const MIB = 2 ** 20
export const DATA = 'dev/mmcblk0p7'
const SERVICES = ['mosquitto:120:120:1073741824', 'prometheus:108:108']

/** Magic of a btrfs superblock, and its offset (btrfs(5)). */
export const MAGIC = '_BHRfS_M'
export const MAGIC_AT = 65536 + 64
const BLKID = `PATH=$REAL_PATH
[ "$(dd if="$FAKE_ROOT/${DATA}" bs=1 skip=${MAGIC_AT} count=8 2>/dev/null | tr -d '\\0')" = ${MAGIC} ] && echo btrfs && exit
cat "$FAKE_ROOT/type" 2>/dev/null`
const MKFS = `PATH=$REAL_PATH
for image; do :; done
{ printf ${MAGIC} | dd of="$image" bs=1 seek=${MAGIC_AT} conv=notrunc
echo tree | dd of="$image" bs=1M seek=1 conv=notrunc; } 2>/dev/null`

/** A fake btrfs whose subvolumes are directories. The id of a subvolume is its name. */
export const BTRFS = `PATH=$REAL_PATH
[ "$1 $2" != 'inspect-internal rootid' ] || echo "\${3##*/}"
case "$2 $3" in
  'subvolume create') mkdir "$4" ;;
  'subvolume snapshot') [ ! -e "$5" ] && cp -a "$4" "$5" ;;
  'subvolume delete') rm -r "$4" ;;
esac`
const ROOT = 'ab'.repeat(32)

/** A disk with a blank last partition `data`. `free` sectors follow the partition. */
export async function newDevice(shell: Shell, { free = 0 } = {}) {
  const device = await FakeDevice.under(shell)
  device.write(DATA, new Uint8Array(8 * MIB))
  device.write('factory/lib/podman', 'from the image')
  for (const directory of ['data', 'var', 'run']) device.write(`${directory}/.keep`, '')
  const block = (name: string, facts: Record<string, number>) => {
    for (const [fact, value] of Object.entries(facts)) device.write(`sys/class/block/${name}/${fact}`, `${value}\n`)
  }
  block('mmcblk0', { size: 40000 + free })
  for (const [name, start] of [
    ['mmcblk0p6', 10000],
    ['mmcblk0p7', 20000],
  ] as const)
    for (const place of [name, `mmcblk0/${name}`]) block(place, { start, size: 20000, partition: Number(name.at(-1)) })
  device.fake('blkid', BLKID)
  device.fake('mkfs.btrfs', MKFS)
  device.fake('dd', 'PATH=$REAL_PATH dd "$@"')
  device.fake('btrfs', BTRFS)
  device.fake('mountpoint', 'exit 1')
  for (const name of ['sfdisk', 'partx']) device.fake(name)
  const boot = ({ slot = 'a', script = SCRIPT, root = ROOT, trial = '', wrong = '', fallback = false } = {}) => {
    rmSync(device.path('run'), { recursive: true })
    device.write('run/boot', `SLOT=${slot}\nDISK=/dev/mmcblk0\nDATA=${device.path(DATA)}\nROOT_HASH=${root}\n`)
    if (trial !== '') device.write('run/trial', `id one\ndata ${trial}\ncommit local\n`)
    if (fallback) device.write('run/fallback', '')
    if (wrong !== '') device.write('run/wrong-slot', `${wrong}\n`)
    const places = {
      HANGAR_DATA: 'data',
      HANGAR_VAR: 'var',
      HANGAR_FACTORY: 'factory',
      HANGAR_SYS: 'sys',
      HANGAR_RUN: 'run',
    }
    const env = Object.fromEntries(Object.entries(places).map(([name, path]) => [name, device.path(path)]))
    const ran = device.run(script, { args: SERVICES, env })
    const named = (name: string) => ran.calls.filter((call) => call.startsWith(`${name} `))
    return {
      ...ran,
      formatted: named('mkfs.btrfs').length,
      mounts: named('mount'),
      failed: device.read('run/data-failed'),
    }
  }
  return { device, boot }
}
