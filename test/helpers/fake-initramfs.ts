import { readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readRecord } from './agent-record.ts'
import { FakeDevice, type Shell } from './fake-device.ts'
import { PROJECT } from './toolchain.ts'

export const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/initramfs/init'), 'utf8')
/** The scripts that init sources. */
const LIB = ['agent/record', 'agent/starts', 'agent/tryboot', 'initramfs/other-slot'].map((path): [string, string] => [
  basename(path),
  readFileSync(join(PROJECT, `overlays/device/${path}.sh`), 'utf8'),
])
/** The only shell in the initramfs. Waiting without another program needs its `read -t`, which POSIX lacks. */
export const SHELLS = ['busybox ash']
export const HASH = 'ab'.repeat(32)
const LABELS = ['selector', 'boot-a', 'boot-b', 'identity', 'slot-a', 'slot-b', 'data']
const INDEX = 'hangar-slot 1\nbase 1 100\nkernel 101 50\nhost 151 4\nend 155 0\n'

/**
 * The script with all its paths below `root`. It uses this machine's programs, and calls `pause` for each wait of 5 seconds.
 */
function rooted(root: string, script: string): string {
  const text = script
    .replace(/^PATH=\/bin\nexport PATH /m, 'export ')
    .replaceAll('>/dev/kmsg', '>KMSG')
    .replace(/(?<![\w\\/"*}.$])\/(bin|dev|etc|lib|proc|root|run|sys)(?=[/ \n;])/g, `${root}/$1`)
    .replaceAll('"/lib/', `"${root}/lib/`)
    .replaceAll('"/sys/', `"${root}/sys/`)
    .replaceAll('>KMSG', '>/dev/kmsg')
    .replace('exec switch_root', 'switch_root')
    .replaceAll('read -r -t 5 _ <>', 'pause ')
    .replace('s/^DEVNAME=/\\/dev\\//p', `s|^DEVNAME=|${root}/dev/|p`)
  if (/\/proc\/sysrq|\/dev\/watchdog|DEVNAME=\\/.test(text.replaceAll(`${root}/`, '')))
    throw new Error('the script would use devices of this machine')
  return text
}

/** Ends a background process at its first wait, because most tests need only the foreground. */
const END_AT_WAIT = 'kill -KILL $PPID'
/** Counts waits instead of waiting. `body` runs at each wait. */
export const waits = (body = '') => `echo >>"$FAKE_ROOT/steps"; step=$(wc -l <"$FAKE_ROOT/steps")\n${body}`

/** A fake dmsetup that opens a slot only if the test supplied an index for its root hash. */
const DMSETUP = `
[ "$1" = create ] || exit 0
[ "$3" = hangar-slot ] || exit 0
set -- $5
rm -f "$FAKE_ROOT/dev/mapper/hangar-slot"
cp "$FAKE_ROOT/verifies/$5" "$FAKE_ROOT/dev/mapper/hangar-slot" 2>/dev/null
exit 0`

export interface Machine {
  readonly disks?: readonly string[]
  /** Slots with the root hash of the command line. */
  readonly good?: readonly ('a' | 'b')[]
  /** Values of the firmware in the device tree. */
  readonly firmware?: Readonly<Record<string, number>>
  readonly commandLine?: string
  readonly index?: string
  readonly watchdog?: 'none'
  readonly faked?: Readonly<Record<string, string>>
}

export async function newMachine(shell: Shell, machine: Machine = {}) {
  const { disks = ['mmcblk0'], good = ['a'], firmware = { partition: 2 }, index = INDEX } = machine
  const device = await FakeDevice.under(shell)
  device.write('proc/cmdline', machine.commandLine ?? `console=tty1 hangar.root=${HASH} hangar.blocks=155\n`)
  device.write('etc/modules', 'kernel/watchdog\nkernel/mmc\n')
  if (machine.watchdog !== 'none') symlinkSync('/dev/null', device.path('dev/watchdog0'))
  for (const [name, text] of LIB) device.write(`lib/hangar/${name}`, text)
  device.write('dev/mmcblk0p4', '')
  truncateSync(device.path('dev/mmcblk0p4'), 32 * 2 ** 20)
  device.write('proc/sysrq-trigger', '')
  device.write('dev/mapper/.keep', '')
  for (const disk of disks) addDisk(device, disk)
  for (const slot of good) device.write(`verifies/${slot === 'a' ? '179:5' : '179:6'}`, index)
  for (const [name, number] of Object.entries(firmware))
    device.write(`proc/device-tree/chosen/bootloader/${name}`, new Uint8Array([0, 0, 0, number]))
  device.fake('pause', END_AT_WAIT)
  device.fake('busybox')
  device.fake('dmsetup', DMSETUP)
  device.fake('reboot', ':', { ends: 99 })
  device.fake('switch_root', ':', { ends: 0 })
  for (const [name, body] of Object.entries(machine.faked ?? {})) device.fake(name, body)
  return { device, start: (script = SCRIPT) => start(device, script) }
}

export async function boot(shell: Shell, machine: Machine = {}) {
  return (await newMachine(shell, machine)).start()
}

export function start(device: FakeDevice, script: string) {
  rmSync(device.path('run'), { recursive: true, force: true })
  const env = { HANGAR_SYS: device.path('sys'), HANGAR_DEV: device.path('dev') }
  const ran = device.run(rooted(device.root, script), { env })
  const calls = ran.calls.filter((call) => !call.startsWith('pause'))
  const named = (begin: string) => calls.filter((call) => call.startsWith(begin))
  const facts = Object.fromEntries(
    device
      .read('run/hangar/boot')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replaceAll(device.root, '').split('=', 2)),
  )
  const record = readRecord(readFileSync(device.path('dev/mmcblk0p4')))?.keys
  return { ...ran, calls, device, named, facts, record, entered: named('switch_root').length === 1 }
}

function addDisk(device: FakeDevice, disk: string, labels: readonly string[] = LABELS): void {
  device.write(`sys/block/${disk}/size`, '1\n')
  for (const [index, label] of labels.entries()) {
    const name = `${disk}p${index + 1}`
    device.write(`sys/class/block/${disk}/${name}/uevent`, `DEVNAME=${name}\nPARTNAME=${label}\n`)
    device.write(`sys/class/block/${name}/dev`, `${disk === 'mmcblk0' ? 179 : 259}:${index + 1}\n`)
  }
}
