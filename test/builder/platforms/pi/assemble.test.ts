import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../../images/digest.ts'
import { BLOCK, diskLayout, partition } from '../../../../images/layout.ts'
import { parseManifest } from '../../../../images/manifest.ts'
import { verifyText } from '../../../../images/signature/sshsig.ts'
import { hashTree, leavesOf } from '../../../../images/slot/verity.ts'
import { differences, readRange, stateOf, sumsIn } from '../../../helpers/output-files.ts'
import {
  assemblePi,
  type PiRequest,
  SIGNED,
  type SmallLayers,
  smallImage,
  UNSIGNED,
} from '../../../helpers/small-image.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

type Given = Partial<PiRequest> & SmallLayers

/** `build` assembles into one output directory; `differs` names files that differ from a fresh directory. */
async function bench() {
  const root = await tempDirectory()
  const [sources, output] = [join(root, 'sources'), join(root, 'out/tiny')]
  mkdirSync(sources)
  let count = 0
  const build = (given: Given = {}, to = output) => assemblePi(smallImage(sources, to, given))
  const differs = async (given: Given, before: Given = given) => {
    const [fresh, old] = [join(root, `fresh-${count++}`), join(root, `old-${count++}`)]
    await build(given, fresh)
    await build(before, old)
    return differences(output, fresh, [stateOf(fresh), stateOf(old)])
  }
  return { output, build, differs }
}

function manifestIn(output: string) {
  return parseManifest(readFileSync(join(output, 'manifest.json'), 'utf8'), output)
}

const NAMES = [
  ...['SHA256SUMS', 'boot.img', 'manifest.json', 'manifest.json.sig'],
  ...['sbom.spdx.json', 'slot.img', 'tiny.img', 'tiny.img.bmap'],
]

describe('assemble into a new directory', () => {
  it('writes every file, and the checksums of all files except the disk image', async () => {
    const { output, build } = await bench()
    expect((await build()).outputs).toBe('written')
    expect(
      readdirSync(output)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual(NAMES)
    const sums = sumsIn(output)
    expect(Object.keys(sums)).toEqual(NAMES.filter((name) => name !== 'SHA256SUMS' && name !== 'tiny.img'))
    for (const [name, sum] of Object.entries(sums)) expect(digestOf(readFileSync(join(output, name))), name).toBe(sum)
  })

  it('writes an SBOM that names the image, its layers and its boot files', async () => {
    const { output, build } = await bench()
    const { root } = await build()
    const { packages } = JSON.parse(readFileSync(join(output, 'sbom.spdx.json'), 'utf8'))
    expect(packages[0]).toMatchObject({ name: 'tiny', versionInfo: root })
    const { slot, boot } = manifestIn(output)
    const names = [...slot.layers.map(({ name }) => name), ...Object.keys(boot)]
    expect(packages.slice(1).map(({ name }: { name: string }) => name)).toEqual(names)
  })

  it('writes a block map with the correct checksum of every range of the disk image', async () => {
    const { output, build } = await bench()
    await build()
    const bmap = readFileSync(join(output, 'tiny.img.bmap'), 'utf8')
    const ranges = [...bmap.matchAll(/<Range chksum="(\w+)"> (\d+)(?:-(\d+))? </g)]
    expect(ranges.length).toBeGreaterThan(8)
    for (const [, sum, first, last = first] of ranges) {
      const [from, to] = [Number(first), Number(last) + 1]
      expect(digestOf(readRange(join(output, 'tiny.img'), from * BLOCK, (to - from) * BLOCK)), first).toBe(sum)
    }
    expect(bmap).toContain(`<ImageSize> ${statSync(join(output, 'tiny.img')).size} </ImageSize>`)
  })

  it('writes nothing to the disk image outside the block map', async () => {
    const { output, build } = await bench()
    await build()
    const { size, segments } = stateOf(output)['tiny.img'] ?? { size: 0, segments: [] }
    expect(size).toBe(diskLayout(8 * 1024 * 1024).size)
    const mapped = segments.reduce((sum, segment) => sum + segment.size, 0)
    expect(statSync(join(output, 'tiny.img')).blocks * 512).toBeLessThan(mapped + 64 * BLOCK)
  })

  it('names the root hash of the slot in the manifest, on the kernel command line and in the result', async () => {
    const { output, build } = await bench()
    const { root } = await build()
    const { slot, boot } = manifestIn(output)
    const image = readFileSync(join(output, 'slot.img'))
    const tree = hashTree(leavesOf(image.subarray(0, slot.dataBlocks * BLOCK)))
    expect([root, slot.root]).toEqual([tree.root, tree.root])
    expect(image.subarray(slot.dataBlocks * BLOCK).equals(Buffer.from(tree.bytes))).toBe(true)
    const cmdline = `console=tty1 ro hangar.root=${tree.root} hangar.blocks=${slot.dataBlocks}\n`
    expect(boot['cmdline.txt']).toEqual({ size: cmdline.length, sha256: digestOf(cmdline) })
    expect(readFileSync(join(output, 'boot.img')).includes(cmdline)).toBe(true)
  })

  it('writes the boot image and the slot image to their partitions of the disk image', async () => {
    const { output, build } = await bench()
    await build()
    const layout = diskLayout(8 * 1024 * 1024)
    for (const [name, place] of [
      ['boot.img', 'boot-a'],
      ['slot.img', 'slot-a'],
    ] as const) {
      const { segments } = stateOf(output)[name] ?? { segments: [] }
      for (const { offset, size } of segments) {
        const inDisk = readRange(join(output, 'tiny.img'), partition(layout, place).offset + offset, size)
        expect(inDisk.equals(readRange(join(output, name), offset, size)), `${name} ${offset}`).toBe(true)
      }
    }
    expect(
      readRange(join(output, 'tiny.img'), partition(layout, 'boot-b').offset, BLOCK).every((byte) => byte === 0),
    ).toBe(true)
  })

  it('signs a manifest with the digests of layers and boot files', async () => {
    const { output, build } = await bench()
    await build()
    const manifest = manifestIn(output)
    const image = readFileSync(join(output, 'slot.img'))
    for (const { offset, size, sha256 } of manifest.slot.layers)
      expect(digestOf(image.subarray(offset, offset + size))).toBe(sha256)
    expect(manifest.slot.sha256).toBe(digestOf(image))
    expect(Object.keys(manifest.boot)).toEqual(['cmdline.txt', 'config.txt', 'kernel_2712.img'])
    expect(manifest.signature).toBe('signed')
    const signature = readFileSync(join(output, 'manifest.json.sig'), 'utf8')
    const text = readFileSync(join(output, 'manifest.json'), 'utf8')
    expect(verifyText(text, signature, [SIGNED.publicLine])).toBe(SIGNED.publicLine)
    const [line] = [SIGNED.publicLine]
    expect(() => verifyText(`${text} `, signature, [line])).toThrow()
  })
})

describe('assemble into an existing directory', () => {
  it('writes nothing when nothing changed', async () => {
    const { output, build } = await bench()
    await build()
    const before = statSync(join(output, 'slot.img')).mtimeMs
    expect((await build()).outputs).toBe('unchanged')
    expect(statSync(join(output, 'slot.img')).mtimeMs).toBe(before)
  })

  it.each<[string, Given]>([
    ['one layer changed', { host: 'i' }],
    ['the first layer became larger', { base: 'aaabbb' }],
    ['the first layer became smaller', { base: 'a' }],
    ['the boot file system changed', { kernelArguments: ['quiet'] }],
    ['it is no longer signed', { signing: UNSIGNED }],
    ['the licence texts of its packages changed', { licence: 'You may.' }],
  ])('patches the files to the bytes of a fresh build when %s', async (_, after) => {
    const { build, differs } = await bench()
    await build()
    expect((await build(after)).outputs).toBe('patched')
    expect(await differs(after, {})).toEqual([])
  })

  it('the comparison with a fresh build notices differences (negative control)', async () => {
    const { build, differs } = await bench()
    await build()
    expect(await differs({ host: 'i' }, {})).toEqual(expect.arrayContaining(['slot.img', 'tiny.img', 'SHA256SUMS']))
  })

  it('writes every file again when another program changed one of them', async () => {
    const { output, build, differs } = await bench()
    await build()
    writeFileSync(join(output, 'boot.img'), 'mine')
    expect((await build()).outputs).toBe('written')
    expect(await differs({})).toEqual([])
  })

  it('removes the signature of an earlier manifest', async () => {
    const { output, build } = await bench()
    await build()
    await build({ signing: UNSIGNED })
    expect(existsSync(join(output, 'manifest.json.sig'))).toBe(false)
    expect(Object.keys(sumsIn(output))).not.toContain('manifest.json.sig')
  })

  it('keeps files that hangar did not write', async () => {
    const { output, build } = await bench()
    mkdirSync(join(output, 'mine'), { recursive: true })
    writeFileSync(join(output, 'mine/notes'), 'notes')
    writeFileSync(join(output, 'notes.txt'), 'text')
    await build()
    await build({ host: 'i' })
    expect(readFileSync(join(output, 'mine/notes'), 'utf8')).toBe('notes')
    expect(readFileSync(join(output, 'notes.txt'), 'utf8')).toBe('text')
  })
})

describe('assemble of an image that does not fit', () => {
  it('refuses an image that does not fit before it writes anything', async () => {
    const { output, build } = await bench()
    await expect(build({ base: 'a'.repeat(2048) })).rejects.toMatchObject({
      code: 'size',
      message: expect.stringMatching(
        /^the image takes 8\.5 MB, but its slot has 8\.4 MB; the largest layers: base 8\.4 MB, /,
      ),
      hint: expect.stringContaining('remove a service'),
    })
    expect(existsSync(output)).toBe(false)
  })
})
