import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const CONTROLLER = '/sys/fs/cgroup/blkio'

export interface SlowDisk {
  /** A block device. */
  readonly device: string
  /** Words before a command that make its writes as slow. */
  readonly command: (line: string) => string
  remove(): void
}

/**
 * A file as a disk that takes no more than so many bytes a second from what is started by `command` and writes past the
 * page cache; undefined where the kernel does not limit that (wanted: root, and version 1 of the blkio controller).
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
