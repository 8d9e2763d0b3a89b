import { z } from 'zod'
import { GIB, MIB } from '../../images/layout.ts'
import { quoted } from '../../images/quoted.ts'

const UNITS: Readonly<Record<string, number>> = { MiB: MIB, GiB: GIB, MB: 1e6, GB: 1e9, TB: 1e12 }

/**
 * Containers get at least this much memory. runc's own start takes 6 MiB (docker run: "the minimum allowed value is 6m"), and
 * Prometheus without any metrics takes 13 MiB (measured with 2.42).
 */
const LEAST_CONTAINER = 16 * MIB

/** Parses a size of memory, which is sold in powers of two, into bytes: `'512 MiB'`, `'4 GiB'`. */
export const memorySize = size(/^(\d+(?:\.\d+)?) ?(MiB|GiB)$/, "a size of memory such as '512 MiB' or '4 GiB'")

/** Parses the size of a disk, which is sold in powers of ten, into bytes: `'64 GB'`. */
export const diskSize = size(/^(\d+(?:\.\d+)?) ?(GB|TB)$/, "the size of a disk as it is sold, such as '64 GB'")

/** Parses the size of a slot into bytes: `'8 GiB'`. */
export const slotSize = size(/^(\d+) ?(GiB)$/, "a slot's size in whole GiB, such as '8 GiB'")

/** Parses the memory of a container into bytes: `'96 MiB'`. */
export const containerMemory = memorySize.superRefine((bytes, context) => {
  if (bytes < LEAST_CONTAINER)
    context.addIssue(`${quoted(`${bytes / MIB} MiB`)} is too little for a container, wanted '16 MiB' or more`)
})

/**
 * A volume gets at least this much disk space. btrfs reserves space for metadata with each write, so that smaller quotas refuse
 * the first files already.
 */
const LEAST_VOLUME = 64 * MIB

/** Parses the quota of a volume into bytes: `'2 GiB'`. */
export const volumeQuota = size(/^(\d+(?:\.\d+)?) ?(MiB|GiB)$/, "a size such as '512 MiB' or '2 GiB'").superRefine(
  (bytes, context) => {
    if (bytes < LEAST_VOLUME)
      context.addIssue(`${quoted(`${bytes / MIB} MiB`)} is too little for a volume, wanted '64 MiB' or more`)
  },
)

function size(pattern: RegExp, wanted: string) {
  return z.string().transform((text, context): number => {
    const [, number, unit = ''] = pattern.exec(text) ?? []
    const bytes = Math.round(Number(number) * (UNITS[unit] ?? 0))
    // A number of bytes beyond 2^53 would be rounded in JSON. A petabyte is more than any machine has.
    if (bytes >= MIB && bytes <= 1e15) return bytes
    context.addIssue({ code: 'custom', message: `${quoted(text)} is not ${wanted}` })
    return z.NEVER
  })
}
