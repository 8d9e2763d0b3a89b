import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'

/**
 * Milliseconds of the probe on two idle cores of the machine for which the tests' deadlines are chosen. A boot takes about
 * a fifth of its deadline there.
 */
const REFERENCE = 900
/** A machine that seems slower than this is treated as if it had this speed, so that a test that hangs ends. */
export const SLOWEST = 8

/** Milliseconds that a fixed piece of work takes now. */
export type Probe = () => Promise<number>

/** How many times longer than on the reference machine work takes now: from 1 to `SLOWEST`. */
export async function measureSlowdown(probe: Probe = busyCores): Promise<number> {
  return Math.min(SLOWEST, Math.max(1, (await probe()) / REFERENCE))
}

/** A deadline for a machine that is slower than the reference machine. */
export function scaled(seconds: number, slowdown: number): number {
  return Math.ceil(seconds * slowdown)
}

/** A slowdown that is measured at most once a minute, because each measurement takes a second. */
export function rememberedSlowdown(measure: () => Promise<number>, now: () => number): () => Promise<number> {
  let known: { readonly at: number; readonly slowdown: Promise<number> } | undefined
  return () => {
    if (known === undefined || now() - known.at > 60_000) known = { at: now(), slowdown: measure() }
    return known.slowdown
  }
}

const recentSlowdown = rememberedSlowdown(measureSlowdown, () => performance.now())

/** The same number of seconds, or more on a slow or busy machine. For deadlines that are set once and cannot be extended. */
export async function patience(seconds: number): Promise<number> {
  return scaled(seconds, await recentSlowdown())
}

/** Integers and memory, as an emulator uses them. The memory is larger than the caches of one core. */
const WORK = `
const table = new Uint32Array(1 << 20)
const begun = performance.now()
let x = 1
for (let i = 0; i < 3e8; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; table[x & 0xfffff] += x }
console.log(performance.now() - begun)
`

/** The slowest of as many processes as an emulated machine has cores; Infinity if one takes too long. */
async function busyCores(): Promise<number> {
  const cores = Math.min(2, availableParallelism())
  return Math.max(...(await Promise.all(Array.from({ length: cores }, timeOfWork))))
}

function timeOfWork(): Promise<number> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['-e', WORK], { timeout: REFERENCE * SLOWEST }, (error, stdout) => {
      if (error === null) resolve(Number(stdout))
      else if (error.killed) resolve(Number.POSITIVE_INFINITY)
      else reject(error)
    })
  })
}
