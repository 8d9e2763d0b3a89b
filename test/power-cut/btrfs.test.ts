import { mkdirSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { withDisk } from '../../flash/vm/disk.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import { MIB } from '../../images/layout.ts'
import { checkPrograms } from '../helpers/check-programs.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { runProgram } from '../helpers/vm.ts'
import { BtrfsReader, type Volume } from './btrfs.ts'
import { diskState } from './disk-state.ts'

const NODE = 16384

let programs: ProgramRoot

beforeAll(async () => {
  programs = await checkPrograms()
})

/** A volume of mkfs.btrfs with two subvolumes. */
async function volume(): Promise<string> {
  const directory = await tempDirectory()
  const [root, image] = [join(directory, 'root'), join(directory, 'btrfs.img')]
  for (const slot of ['a', 'b']) {
    mkdirSync(join(root, `service@${slot}`), { recursive: true })
    writeFileSync(join(root, `service@${slot}`, 'probe'), `of ${slot}\n`)
  }
  // More files than one node can hold.
  mkdirSync(join(root, 'many'))
  for (let number = 0; number < 300; number++)
    writeFileSync(join(root, 'many', `file ${number}`), `${number}`.repeat(20))
  writeFileSync(image, '')
  truncateSync(image, 256 * MIB)
  const subvolumes = ['--subvol', 'service@a', '--subvol', 'service@b']
  const { code, stderr } = await runProgram(programs, '../sbin/mkfs.btrfs', [
    '-q',
    '--rootdir',
    root,
    ...subvolumes,
    image,
  ])
  if (code !== 0) throw new Error(stderr)
  return image
}

function read(image: string): Volume {
  const log = { entries: [], read: () => undefined }
  return withDisk(image, (disk) => new BtrfsReader().read(diskState(disk, log, [])))
}

function overwrite(image: string, at: readonly number[], bytes = Buffer.alloc(512, 1)): void {
  const file = openSync(image, 'r+')
  for (const each of at) writeSync(file, bytes, 0, bytes.length, each)
}

/** Positions of the copies of the node with this text. */
function copiesOf(image: string, text: string): number[] {
  const bytes = readFileSync(image)
  const found = new Set<number>()
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) found.add(at - (at % NODE))
  return [...found]
}

describe('BtrfsReader', () => {
  it('reads the subvolumes and their small files', async () => {
    const { subvolumes } = read(await volume())
    expect([...subvolumes.keys()].sort()).toEqual(['service@a', 'service@b'])
    expect(subvolumes.get('service@b')).toEqual(new Map([['probe', 'of b\n']]))
  })

  it('reads the second copy of a damaged node, and fails if both are damaged', async () => {
    const image = await volume()
    const [first = 0, ...others] = copiesOf(image, 'of b\n')
    expect(others).toHaveLength(1)
    overwrite(image, [first])
    expect(read(image).subvolumes.get('service@b')).toEqual(new Map([['probe', 'of b\n']]))
    overwrite(image, others)
    expect(() => read(image)).toThrow(/a node of tree \d+ of the root tree at \d+ is damaged/)
  })

  it('refuses a volume with any damaged node', async () => {
    const image = await volume()
    overwrite(image, copiesOf(image, '299'.repeat(20)))
    expect(() => read(image)).toThrow('is damaged')
  })

  it('reads the second superblock if the first one is torn, and fails without both', async () => {
    const image = await volume()
    overwrite(image, [64 * 1024 + 512])
    expect(read(image).subvolumes.size).toBe(2)
    overwrite(image, [64 * MIB + 512])
    expect(() => read(image)).toThrow('both superblocks are damaged')
  })
})
