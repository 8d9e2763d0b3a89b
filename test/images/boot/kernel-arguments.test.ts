import { describe, expect, it } from 'vitest'
import { KERNEL_ARGUMENTS } from '../../../images/boot/kernel-arguments.ts'

const names = KERNEL_ARGUMENTS.map((argument) => argument.split('=')[0])

describe('the kernel’s arguments', () => {
  it('reboot a kernel that panics, so that a trial that crashes ends', () => {
    const seconds = Number(KERNEL_ARGUMENTS.find((argument) => argument.startsWith('panic='))?.slice('panic='.length))
    expect(seconds).toBeGreaterThan(0)
    expect(KERNEL_ARGUMENTS).toContain('oops=panic')
  })

  it('name no console: the device tree of the board or of the virtual machine does', () => {
    expect(names).not.toContain('console')
  })

  it('leave the root hash and the root itself to whoever builds the image', () => {
    expect(names.filter((name) => name === 'root' || name?.startsWith('hangar.'))).toEqual([])
  })

  it('are single words, each named once, that fit a command line with the root hash', () => {
    expect(KERNEL_ARGUMENTS.filter((argument) => /[\s"']/.test(argument))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    // The kernel's COMMAND_LINE_SIZE on arm64 is 2048; hangar.root and hangar.blocks take about 100.
    expect(KERNEL_ARGUMENTS.join(' ').length).toBeLessThan(1024)
  })
})
