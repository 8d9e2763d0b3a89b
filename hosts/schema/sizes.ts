import { z } from 'zod'
import { GIB, MIB } from '../../images/layout.ts'

const UNITS: Readonly<Record<string, number>> = { MiB: MIB, GiB: GIB, MB: 1e6, GB: 1e9, TB: 1e12 }

/** Parses a size of memory, which is sold in powers of two, into bytes: `'512 MiB'`, `'4 GiB'`. */
export const memorySize = size(/^(\d+(?:\.\d+)?) ?(MiB|GiB)$/, "a size of memory such as '512 MiB' or '4 GiB'")

/** Parses the size of a disk, which is sold in powers of ten, into bytes: `'64 GB'`. */
export const diskSize = size(/^(\d+(?:\.\d+)?) ?(GB|TB)$/, "the size of a disk as it is sold, such as '64 GB'")

/** Parses the size of a slot into bytes: `'8 GiB'`. */
export const slotSize = size(/^(\d+) ?(GiB)$/, "a slot's size in whole GiB, such as '8 GiB'")

function size(pattern: RegExp, wanted: string) {
  return z.string().transform((text, context): number => {
    const [, number, unit = ''] = pattern.exec(text) ?? []
    const bytes = Math.round(Number(number) * (UNITS[unit] ?? 0))
    // Refuses 0, because podman treats a limit of 0 as no limit.
    if (bytes >= MIB) return bytes
    context.addIssue({ code: 'custom', message: `'${text}' is not ${wanted}` })
    return z.NEVER
  })
}
