import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { BLOCK, MIB } from '../../images/layout.ts'
import { readBtrfsRoot } from './btrfs-superblock.ts'
import type { DiskState } from './disk-state.ts'
import { PROBE } from './recording.ts'
import type { SlotRoot } from './slot-check.ts'
import { writePart } from './write-out.ts'

/** Before its first start a flashed disk's data volume is blank but for something at its start. */
const SEED = 128 * MIB

interface Said {
  readonly code: number | null
  readonly text: string
}

/** What the programs that everybody uses say of a cut's disk. `directory` is for files as large as the disk's parts. */
export class SecondOpinion {
  private readonly programs: ProgramRoot
  private readonly directory: string

  constructor(programs: ProgramRoot, directory: string) {
    this.programs = programs
    this.directory = directory
  }

  /** What btrfs finds wrong with a data volume, all of its data included, or with what a slot's service would find. */
  ofData(data: DiskState, slot: string, probe: string): string | undefined {
    return this.withPart(data, SEED, (file, directory) => {
      // The host writes the first superblock again before it mounts.
      if (readBtrfsRoot(data) === 'second') this.run('btrfs', ['rescue', 'super-recover', '-y', file])
      const checked = this.run('btrfs', ['check', '--readonly', '--check-data-csum', file])
      if (checked.code !== 0) return `btrfs check: ${checked.text}`
      const name = `${PROBE.service}@${slot}`
      const path = `^/(|${name}(|/probe))$`
      const restored = this.run('btrfs', ['restore', '-s', '--path-regex', path, file, directory])
      if (restored.code !== 0) return `btrfs restore: ${restored.text}`
      const found = readFileSync(join(directory, name, 'probe'), 'utf8').trim()
      return found === probe ? undefined : `btrfs restore finds '${found}', wanted '${probe}'`
    })
  }

  /** What veritysetup finds wrong with a slot. */
  ofSlot(slot: DiskState, { root, blocks }: SlotRoot): string | undefined {
    return this.withPart(slot, slot.size, (file) => {
      const shape = ['--no-superblock', '--salt=-', `--data-blocks=${blocks}`, `--hash-offset=${blocks * BLOCK}`]
      const { code, text } = this.run('../sbin/veritysetup', ['verify', file, file, root, ...shape])
      return code === 0 ? undefined : `veritysetup: ${text}`
    })
  }

  private withPart<T>(part: DiskState, used: number, use: (file: string, directory: string) => T): T {
    const directory = mkdtempSync(join(this.directory, 'part-'))
    try {
      const file = join(directory, 'part.img')
      writePart(part, file, used)
      return use(file, directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  private run(name: string, args: readonly string[]): Said {
    const { file, args: first, env } = programOf(this.programs, name)
    const { status, stdout, stderr } = spawnSync(file, [...first, ...args], { env, encoding: 'utf8' })
    return { code: status, text: `${stdout}${stderr}`.trim() }
  }
}
