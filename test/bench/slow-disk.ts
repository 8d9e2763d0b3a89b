import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const CONTROLLER = '/sys/fs/cgroup/blkio'

export interface SlowDisk {
  /** A block device. */
  readonly device: string
  /** A command prefix that limits the writes of the command. */
  readonly command: (line: string) => string
  remove(): void
}

/**
 * A block device on a file, with a limited rate in bytes per second for direct I/O of the programs that `command` starts.
 * Undefined if the kernel cannot limit the rate: this needs root, and version 1 of the blkio controller.
 */
export function slowDisk(file: string, bytesPerSecond: number): SlowDisk | undefined {
  if (!existsSync(CONTROLLER) || process.getuid?.() !== 0) return undefined
  const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim()
  const number = readFileSync(`/sys/block/${basename(device)}/dev`, 'utf8').trim()
  const group = join(CONTROLLER, `hangar-bench-${process.pid}`)
  mkdirSync(group)
  writeFileSync(join(group, 'blkio.throttle.write_bps_device'), `${number} ${bytesPerSecond}`)
  return {
    device,
    command: (line) => `echo $$ >'${group}/cgroup.procs'; ${line}`,
    remove() {
      rmdirSync(group)
      execFileSync('losetup', ['--detach', device])
    },
  }
}
