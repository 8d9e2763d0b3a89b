import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CompressFile, exportImage } from '../../../builder/export/export.ts'
import { type Zstd, zstdFile } from '../../../builder/export/zstd.ts'
import { type OutputFile, summed, textFile, writeOutputs } from '../../../builder/outputs/outputs.ts'
import { bytesSegment } from '../../../builder/outputs/segment.ts'
import { readState } from '../../../builder/outputs/state.ts'
import { pi } from '../../../builder/platforms/pi/platform.ts'
import { programOf } from '../../../flash/vm/program.ts'
import { BLOCK } from '../../../images/layout.ts'
import { controlPrograms } from '../../helpers/control-programs.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const SIZE = 64 * 2 ** 20
const never = new AbortController().signal
let zstd: Zstd
let compress: CompressFile

beforeAll(async () => {
  zstd = programOf(await controlPrograms(), 'zstd')
  compress = zstdFile(zstd, never)
})

/** A disk with one written block. */
function disk(letter: string): OutputFile {
  return { ...summed(undefined, SIZE, [bytesSegment(8 * BLOCK, Buffer.alloc(BLOCK, letter))]), sha256: undefined }
}

async function built(letter = 'a') {
  const directory = await tempDirectory()
  const output = join(directory, 'out/adama')
  await write(output, letter)
  const target = join(directory, 'dist/adama')
  const request = { host: 'adama', images: pi.images('adama'), output, target, compress, reporter: listReporter() }
  return { directory, output, target, request }
}

function write(output: string, letter: string) {
  return writeOutputs(output, readState(output), {
    'adama.img': disk(letter),
    'adama.img.bmap': textFile(`<bmap>${letter}</bmap>`),
    'slot.img': textFile('slot'),
    'boot.img': textFile('boot'),
    'manifest.json': textFile(`{"letter":"${letter}"}`),
    'manifest.json.sig': textFile('signature\n'),
  })
}

function contents(directory: string): Record<string, string> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'hex')]))
}

describe('exportImage', () => {
  it('exports the compressed disk image, its block map, the manifest and their checksums', async () => {
    const { target, request, output } = await built()
    const files = await exportImage(request)
    const names = ['adama.img.bmap', 'adama.img.zst', 'manifest.json', 'manifest.json.sig']
    expect(files.map(({ name }) => name)).toEqual(names)
    expect(readdirSync(target).sort()).toEqual(['SHA256SUMS', ...names].sort())
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: target })
    expect(readFileSync(join(target, 'manifest.json'), 'utf8')).toBe(
      readFileSync(join(output, 'manifest.json'), 'utf8'),
    )
  })

  it('exports an image that decompresses to the same disk, and stores holes compactly', async () => {
    const { target, request, output } = await built()
    await exportImage(request)
    const packed = join(target, 'adama.img.zst')
    expect(statSync(packed).size).toBeLessThan(SIZE / 1000)
    const disk = execFileSync(zstd.file, [...zstd.args, '-dcq', packed], { env: zstd.env, maxBuffer: 2 * SIZE })
    expect(disk.equals(readFileSync(join(output, 'adama.img')))).toBe(true)
  })

  it('exports the same bytes every time', async () => {
    const [one, other] = [await built(), await built()]
    await exportImage(one.request)
    await exportImage(other.request)
    expect(contents(one.target)).toEqual(contents(other.target))
  })

  it('replaces an earlier export in the same directory', async () => {
    const { target, request, output } = await built('a')
    await exportImage(request)
    const before = contents(target)
    await write(output, 'b')
    await exportImage(request)
    expect(contents(target)).not.toEqual(before)
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: target })
  })
})

describe('exportImage keeps the target', () => {
  it('does not touch the target when there is no build', async () => {
    const { target, request, directory } = await built()
    await expect(exportImage({ ...request, output: join(directory, 'out/other') })).rejects.toMatchObject({
      message: expect.stringContaining("has no complete image of 'adama'"),
      hint: 'build the image: npm run build:image adama',
    })
    expect(existsSync(target)).toBe(false)
  })

  it('does not touch the target when an output file changed after the build', async () => {
    const { request, output } = await built()
    writeFileSync(join(output, 'manifest.json'), '{"letter":"z"}!')
    await expect(exportImage(request)).rejects.toThrow('has no complete image')
  })

  it('refuses a target with a file that no export wrote', async () => {
    for (const name of ['adama-notes.txt', 'manifest.old', '.hidden']) {
      const { target, request } = await built()
      await exportImage(request)
      writeFileSync(join(target, name), 'years of work')
      await expect(exportImage(request)).rejects.toThrow(`it contains '${name}'`)
      expect(readFileSync(join(target, name), 'utf8')).toBe('years of work')
    }
  })

  it('keeps every other directory beside the target', async () => {
    const { target, request } = await built()
    mkdirSync(`${target}.new`, { recursive: true })
    writeFileSync(join(`${target}.new`, 'thesis.txt'), 'years of work')
    await exportImage(request)
    expect(readFileSync(join(`${target}.new`, 'thesis.txt'), 'utf8')).toBe('years of work')
    expect(readdirSync(dirname(target)).filter((name) => name.startsWith(`${basename(target)}.new-`))).toEqual([])
  })

  it('refuses a target that is not an export', async () => {
    const { target, request } = await built()
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, 'thesis.txt'), 'years of work')
    await expect(exportImage(request)).rejects.toThrow(
      `cannot export to '${target}': it contains 'thesis.txt', which no export of 'adama' wrote`,
    )
    expect(readdirSync(target)).toEqual(['thesis.txt'])
  })

  it('does not touch the target when the compression fails, and reports the error', async () => {
    const { target, request } = await built('a')
    await exportImage(request)
    const before = contents(target)
    const broken: CompressFile = zstdFile({ file: '/bin/sh', args: ['-c', 'echo no room >&2; exit 3'], env: {} }, never)
    await expect(exportImage({ ...request, compress: broken })).rejects.toThrow(/zstd failed with status 3 .*: no room/)
    expect(contents(target)).toEqual(before)
    expect(existsSync(`${target}.new`)).toBe(false)
  })
})
