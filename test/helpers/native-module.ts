/** The first bytes of an ELF file for a machine (`e_machine` in elf(5)): 183 is AArch64, 62 is x86-64. */
export function elf(machine: number): Buffer {
  const head = Buffer.alloc(64)
  head.write('\x7fELF', 'latin1')
  head[4] = 2
  head[5] = 1
  head.writeUInt16LE(machine, 18)
  return head
}

export const ARM64 = elf(183)
export const X64 = elf(62)
