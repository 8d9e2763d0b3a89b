import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { BLOCK, MIB } from '../../images/layout.ts'
import { readBtrfsRoot } from './btrfs-superblock.ts'
import { writePart } from './disk-file.ts'
import type { DiskState } from './disk-state.ts'
import { PROBE } from './recording.ts'
import type { SlotRoot } from './slot-check.ts'

/** Bytes at the start of the data volume that a new disk may have written. The rest is blank before the first boot. */
const SEED = 128 * MIB

interface Result {
  readonly code: number | null
  readonly text: string
}

/** Checks a cut's disk with btrfs and veritysetup. `directory` is for files as large as the disk's partitions. */
export class ExternalChecks {
  private readonly programs: ProgramRoot
  private readonly directory: string

  constructor(programs: ProgramRoot, directory: string) {
    this.programs = programs
    this.directory = directory
  }

  /** The problem that btrfs finds in a data volume, including file content and the service's data of a slot. */
  ofData(data: DiskState, slot: string, probe: string): string | undefined {
    return this.withPart(data, SEED, (file, directory) => {
      // As the host does before it mounts the volume.
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

  /** The problem that veritysetup finds in a slot. */
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

  private run(name: string, args: readonly string[]): Result {
    const { file, args: first, env } = programOf(this.programs, name)
    const { status, stdout, stderr } = spawnSync(file, [...first, ...args], { env, encoding: 'utf8' })
    return { code: status, text: `${stdout}${stderr}`.trim() }
  }
}
