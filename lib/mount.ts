import { readFileSync, realpathSync } from 'node:fs'

/** A mounted file system, as proc_pid_mountinfo(5) describes it. */
export interface Mount {
  /** The mount point. */
  readonly point: string
  /** The options of this mount: `noexec`. */
  readonly options: readonly string[]
}

/** The mount that holds a path. Throws the error of the system when the path does not exist. */
export function mountOf(path: string): Mount {
  const real = realpathSync(path)
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, , , , point = '', options = '']) => ({ point: unescaped(point), options: options.split(',') }))
    .filter(({ point }) => point === '/' || real === point || real.startsWith(`${point}/`))
  // A later mount on the same point hides an earlier one.
  const deepest = (best: Mount, each: Mount) => (each.point.length >= best.point.length ? each : best)
  return mounts.reduce(deepest, { point: '/', options: [] })
}

/** The kernel writes spaces and other special characters of a path as octal numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
