import { describe, expect, it } from 'vitest'
import { parseConfigText } from '../../flash/vm/config-text.ts'
import { BOARDS } from '../../images/board.ts'
import { configTxt, INITRAMFS_NAME, KERNEL_ARGUMENTS } from '../../images/boot.ts'

const board = BOARDS['raspberry-pi-5']
const text = configTxt(board)
const settings = (partition: number, tryboot: boolean) => parseConfigText(text, { partition, tryboot })

describe('config.txt', () => {
  it('config.txt names the kernel and the initramfs as the boot file system does', () => {
    const { settings: read, remarks } = settings(2, false)
    expect(remarks).toEqual([])
    expect(Object.fromEntries(read)).toMatchObject({
      arm_64bit: '1',
      kernel: board.kernel,
      initramfs: INITRAMFS_NAME,
      auto_initramfs: '0',
    })
  })

  it('config.txt arms the watchdog before Linux starts, with at most 15 seconds', () => {
    const seconds = Number(settings(2, false).settings.get('kernel_watchdog_timeout'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(15)
  })

  it('config.txt gives the same settings for both slots, on trial and not on trial', () => {
    expect(settings(3, true)).toEqual(settings(2, false))
  })

  it('config.txt names no device tree: the firmware chooses the one for the stepping', () => {
    expect(text).not.toMatch(/^device_tree/m)
  })

  // The firmware reads at most 98 characters of a line (raspberrypi/documentation, config_txt).
  it('config.txt has no line that the firmware truncates', () => {
    expect(text.split('\n').filter((line) => line.length > 98)).toEqual([])
    expect(text.endsWith('\n')).toBe(true)
  })
})

describe('the kernel arguments', () => {
  const names = KERNEL_ARGUMENTS.map((argument) => argument.split('=')[0])

  it('the kernel arguments reboot a kernel that panics, so that a crash ends a trial', () => {
    const seconds = Number(KERNEL_ARGUMENTS.find((argument) => argument.startsWith('panic='))?.slice('panic='.length))
    expect(seconds).toBeGreaterThan(0)
    expect(KERNEL_ARGUMENTS).toContain('oops=panic')
  })

  it('the kernel arguments name the only program to start, so that a kernel that cannot start it starts no shell', () => {
    expect(KERNEL_ARGUMENTS).toContain('init=/init')
  })

  it('the kernel arguments name no console, because the device tree names it', () => {
    expect(names).not.toContain('console')
  })

  it('the kernel arguments name no root and no root hash: the build adds them', () => {
    expect(names.filter((name) => name === 'root' || name?.startsWith('hangar.'))).toEqual([])
  })

  it('the kernel arguments are unique words that fit a command line together with the root hash', () => {
    expect(KERNEL_ARGUMENTS.filter((argument) => /[\s"']/.test(argument))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    // The kernel's COMMAND_LINE_SIZE on arm64 is 2048; hangar.root and hangar.blocks take about 100.
    expect(KERNEL_ARGUMENTS.join(' ').length).toBeLessThan(1024)
  })
})
