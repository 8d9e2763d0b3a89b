import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { FakeDevice, type Shell } from './fake-device.ts'
import { PROJECT } from './toolchain.ts'

export const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/identity.sh'), 'utf8')
/** The script without its check for a blank partition. */
export const WEAKENED = SCRIPT.replace(/^is_blank\(\) \{\n[\s\S]*?^\}$/m, 'is_blank() { :; }')
export const SECTOR = 512
export const FIRST = 0
export const SECOND = 32768 * SECTOR
export const PARTITION = 'dev/identity'
/** The signing keys in the image whose updates the host accepts. */
export const KEYS = 'ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n'

/** A fake ssh-keygen that makes a different key each time. */
const SSH_KEYGEN = `
for last; do :; done
case $1 in
  -l) echo "256 SHA256:$(cksum <"$last" | cut -d' ' -f1) tiny (ED25519)" ;;
  *) echo >>"$FAKE_ROOT/made"; count=$(wc -l <"$FAKE_ROOT/made"); echo "private $count" >"$last"; echo "public $count" >"$last.pub" ;;
esac`

/** A dd that writes until the power is cut, then fails. */
export const DD = `
case "$*" in *of=*)
  left=$(cat "$FAKE_ROOT/power" 2>/dev/null || echo 999)
  [ "$left" -gt 0 ] || { cat >/dev/null; exit 1; }
  echo $((left - 1)) >"$FAKE_ROOT/power" ;;
esac
PATH=$REAL_PATH exec dd "$@"`

export async function newDevice(shell: Shell) {
  const device = await FakeDevice.under(shell)
  device.write('etc/hostname', 'tiny\n')
  device.write('lib/signing', KEYS)
  device.write('lib/serial', '5 1\n')
  device.write(PARTITION, '')
  truncateSync(device.path(PARTITION), 2 * SECOND)
  device.fake('ssh-keygen', SSH_KEYGEN)
  device.fake('dd', DD)
  let boots = 0
  const boot = (script = SCRIPT) => {
    // Each boot has an empty /run.
    const run = `run${++boots}`
    device.write(`${run}/boot`, `SLOT=a\nIDENTITY=${device.path(PARTITION)}\n`)
    const env = { HANGAR_RUN: device.path(run), HANGAR_ETC: device.path('etc'), HANGAR_LIB: device.path('lib') }
    const ran = device.run(script, { args: ['load'], env })
    const key = device.read(`${run}/identity/ssh/ssh_host_ed25519_key`)
    const trust = (name: string) => device.read(`${run}/identity/trust/${name}`)
    const save = (saving = SCRIPT) => device.run(saving, { args: ['save'], env })
    const saveFrom = (directory: string) => device.run(SCRIPT, { args: ['save', device.path(directory)], env })
    return { ...ran, run, key, trust, save, saveFrom, id: device.read(`${run}/identity/machine-id`) }
  }
  const partition = () => readFileSync(device.path(PARTITION))
  const damage = (...offsets: number[]) => {
    const bytes = partition()
    for (const offset of offsets) bytes[offset] = (bytes[offset] ?? 0) ^ 0xff
    device.write(PARTITION, bytes)
  }
  return { device, boot, partition, damage }
}
