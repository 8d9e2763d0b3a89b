import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyDisk, withDisk } from '../../../flash/vm/disk.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const MIB = 2 ** 20

describe("the machine's disk", () => {
  it("the machine's disk is the image, extended to the host's disk size", async () => {
    const directory = await tempDirectory()
    writeFileSync(join(directory, 'adama.img'), 'first bytes')
    await copyDisk(join(directory, 'adama.img'), join(directory, 'vm.img'), 64 * MIB)
    expect(statSync(join(directory, 'vm.img')).size).toBe(64 * MIB)
    expect(readFileSync(join(directory, 'vm.img')).subarray(0, 12).toString()).toBe('first bytes\0')
  })

  it("the machine's disk is a sparse file", async () => {
    const directory = await tempDirectory()
    writeFileSync(join(directory, 'adama.img'), '')
    truncateSync(join(directory, 'adama.img'), 512 * MIB)
    await copyDisk(join(directory, 'adama.img'), join(directory, 'vm.img'), 1024 * MIB)
    expect(statSync(join(directory, 'vm.img')).blocks * 512).toBeLessThan(MIB)
  })

  it("refuses an image that does not fit on the machine's disk", async () => {
    const directory = await tempDirectory()
    const image = join(directory, 'adama.img')
    writeFileSync(image, 'too much')
    await expect(copyDisk(image, join(directory, 'vm.img'), 4)).rejects.toMatchObject({
      message: `image '${image}' has 8 bytes, the host's disk has 4`,
      hint: "state the disk's size in the host file: disk: '64 GB'",
    })
    expect(existsSync(join(directory, 'vm.img'))).toBe(false)
  })

  it("reads the machine's disk at any offset, and returns zeros beyond its end", async () => {
    const file = join(await tempDirectory(), 'disk')
    writeFileSync(file, '0123456789')
    withDisk(file, (disk) => {
      expect(Buffer.from(disk.read(3, 4)).toString()).toBe('3456')
      expect(Buffer.from(disk.read(8, 4)).toString()).toBe('89\0\0')
    })
  })
})
