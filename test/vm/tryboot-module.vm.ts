import { beforeAll, describe, expect, it } from 'vitest'
import { BLOCK } from '../../images/layout.ts'
import { hashTree, leavesOf } from '../../images/slot/verity.ts'
import { adama } from '../helpers/adama.ts'
import { type BareOutput, runBare } from '../helpers/bare-machine.ts'
import { builtNative } from '../helpers/built-native.ts'

/**
 * QEMU cannot emulate a Raspberry Pi 5, but a Raspberry Pi 3 has the same mailbox. The kernel comes from the image, the
 * device tree from Debian's package.
 */
const RASPBERRY_PI = { args: ['-M', 'raspi3b'], deviceTree: 'broadcom/bcm2837-rpi-3-b.dtb' }
const NO_FIRMWARE = { args: ['-M', 'virt', '-cpu', 'cortex-a53', '-m', '512M'] }

const SCRIPT = `
for name in proc sysfs devtmpfs; do
  case $name in proc) at=/proc ;; sysfs) at=/sys ;; *) at=/dev ;; esac
  busybox mount -t $name $name $at
done
armed=/sys/module/hangar_tryboot/parameters/armed
insmod() { busybox insmod "$1"; echo "insmod: $?"; }
set_to() { echo "$1" >$armed; echo "set to $1: $?"; }
get() { busybox cat $armed; echo "get: $?"; }
insmod /lib/modules/hangar_tryboot.ko
set_to 1
get
set_to 0
set_to what
`

describe('the tryboot module in the image’s initramfs', () => {
  let heard: BareOutput

  beforeAll(async () => {
    heard = await runBare(adama.name, RASPBERRY_PI, SCRIPT)
  })

  it('the tryboot module loads into the image’s kernel', () => {
    expect(heard.console).toContain('insmod: 0\n')
  })

  it('the tryboot module sends the firmware the requests that set and clear the tryboot flag', () => {
    expect(heard.console).toContain('set to 1: 0\n')
    expect(heard.console).toContain('set to 0: 0\n')
    expect(heard.unimplemented.match(/unhandled tag 0x00038064/g)).toHaveLength(2)
  })

  it('the tryboot module reads the flag from the firmware, and reports an error if the firmware cannot answer', () => {
    expect(heard.unimplemented).toContain('unhandled tag 0x00030064')
    expect(heard.console).toContain('Operation not supported\nget: 1\n')
  })

  it('the tryboot module accepts only 1 and 0', () => {
    expect(heard.console).toContain('Invalid argument\nset to what: 1\n')
  })
})

describe('a machine without a Raspberry Pi’s firmware', () => {
  const BLOCKS = 300
  const bytes = Buffer.concat(Array.from({ length: BLOCKS }, (_, block) => Buffer.alloc(BLOCK, `block ${block}\n`)))
  const tree = hashTree(leavesOf(bytes))
  const flipped = Buffer.from(bytes)
  flipped.writeUInt8(0, 77 * BLOCK)
  let heard: BareOutput

  beforeAll(async () => {
    const { blocks } = await builtNative()
    const check = (name: string) => `/blocks missing /${name} ${BLOCKS} ${tree.root}; echo "${name}: $?"`
    heard = await runBare(adama.name, NO_FIRMWARE, `${SCRIPT}\n${check('whole')}\n${check('flipped')}`, {
      '/blocks': blocks,
      '/whole': Buffer.concat([bytes, tree.bytes]),
      '/flipped': Buffer.concat([flipped, tree.bytes]),
    })
  })

  it("the tryboot module loads without a Raspberry Pi's firmware, and reports that the firmware is missing", () => {
    expect(heard.console).toContain('insmod: 0\n')
    expect(heard.console).toContain('No such device\nset to 1: 1\n')
    expect(heard.console).toContain('No such device\nget: 1\n')
  })

  // The unit tests of `blocks` run a build for this machine. This test runs the build for hosts.
  it('the program `blocks` runs and finds the block that differs', () => {
    expect(heard.console).toContain('\nend\nwhole: 0\n')
    expect(heard.console).toContain('\n77 1\nend\nflipped: 0\n')
  })
})
