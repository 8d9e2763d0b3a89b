import { describe, expect, it } from 'vitest'
import { parseConfigText } from '../../../flash/vm/config-text.ts'
import { BOARDS } from '../../../images/board.ts'
import { configTxt, INITRAMFS_NAME } from '../../../images/boot/config-txt.ts'

const board = BOARDS['raspberry-pi-5']
const text = configTxt(board)
const settings = (partition: number, tryboot: boolean) => parseConfigText(text, { partition, tryboot })

describe('config.txt', () => {
  it('tells the firmware what to load, by the names in the boot file system', () => {
    const { settings: read, remarks } = settings(2, false)
    expect(remarks).toEqual([])
    expect(Object.fromEntries(read)).toMatchObject({
      arm_64bit: '1',
      kernel: board.kernel,
      initramfs: INITRAMFS_NAME,
      auto_initramfs: '0',
    })
  })

  it('arms a watchdog that the hardware can hold before Linux starts', () => {
    const seconds = Number(settings(2, false).settings.get('kernel_watchdog_timeout'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(15)
  })

  it('says the same on either slot, on trial or not', () => {
    expect(settings(3, true)).toEqual(settings(2, false))
  })

  it('names no device tree: the firmware chooses the stepping’s own', () => {
    expect(text).not.toMatch(/^device_tree/m)
  })

  // The firmware reads at most 98 characters of a line (raspberrypi/documentation, config_txt).
  it('has no line that the firmware would cut', () => {
    expect(text.split('\n').filter((line) => line.length > 98)).toEqual([])
    expect(text.endsWith('\n')).toBe(true)
  })
})
