import { smallElf } from './small-elf.ts'

/** Native modules for Linux: e_machine 183 is AArch64, 62 is x86-64. */
export const ARM64 = smallElf({ machine: 183 })
export const X64 = smallElf({ machine: 62 })
