import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The speed of this machine without hangar, which makes figures of different runs comparable. */
export interface Calibration {
  /** Copying a file, in MB/s. */
  readonly copy: number
  /** SHA-256 on one core, in MB/s. */
  readonly sha256: number
  /** Starting node, in ms. */
  readonly node: number
}

const SIZE = 256 * 2 ** 20

export function calibrate(): Calibration {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-bench-'))
  try {
    const bytes = Buffer.alloc(SIZE, randomBytes(2 ** 20))
    const file = join(directory, 'file')
    writeFileSync(file, bytes)
    return {
      copy: megabytesPerSecond(seconds(() => copyFileSync(file, join(directory, 'copy')))),
      sha256: megabytesPerSecond(seconds(() => createHash('sha256').update(bytes).digest())),
      node: Math.round(seconds(() => execFileSync(process.execPath, ['-e', ''])) * 1000),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export function calibrationLine({ copy, sha256, node }: Calibration): string {
  return `calibration: cp ${copy} MB/s, sha256 ${sha256} MB/s, node start-up ${node} ms`
}

function megabytesPerSecond(time: number): number {
  return Math.round(SIZE / 1e6 / time)
}

/** The best of three runs. */
function seconds(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const begun = performance.now()
    work()
    return (performance.now() - begun) / 1000
  })
  return Math.min(...times)
}
