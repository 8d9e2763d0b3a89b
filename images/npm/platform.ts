/** What a package states about the systems that it runs on. */
export interface Systems {
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc: readonly string[]
}

/** The platform of every host: npm's names of Linux on arm64 with Debian's C library. */
const HERE = { os: 'linux', cpu: 'arm64', libc: 'glibc' } as const

/** Whether a package runs on the hosts, by its fields `os`, `cpu` and `libc`. */
export function fits({ os, cpu, libc }: Systems): boolean {
  return allows(os, HERE.os) && allows(cpu, HERE.cpu) && allows(libc, HERE.libc)
}

/** Whether a package is the Linux build of another package, for any processor. */
export function isLinuxBuild({ os, cpu }: Systems): boolean {
  return cpu.length > 0 && os.length > 0 && allows(os, HERE.os)
}

/** npm's lists name the allowed values, or the refused values with `!`. `any` allows all. */
function allows(list: readonly string[], value: string): boolean {
  if (list.length === 0 || (list.length === 1 && list[0] === 'any')) return true
  if (list.includes(`!${value}`)) return false
  return list.includes(value) || list.every((each) => each.startsWith('!'))
}
