import { type Architecture, MULTIARCH } from '../../architecture.ts'
import type { Seen } from '../parts/walk.ts'

/** The whole difference that maintainer scripts made to a root that was only unpacked. */
export interface Changes {
  /** Paths whose content, mode, owner or extended attributes are to be carried, in order. */
  readonly carried: readonly string[]
  readonly deleted: readonly string[]
}

/** What scripts make that no image may hold, or that another root makes for itself; each with the reason. */
const LEFT_BEHIND: readonly (readonly [RegExp, string])[] = [
  [/^\/(proc|sys|dev|run|tmp)(\/|$)/, 'not part of a root: mounted when it runs'],
  [/^\/var\/lib\/dpkg\/(?!alternatives\/|diversions$|statoverride$)/, "dpkg's database is the target's own"],
  [/^\/etc\/ld\.so\.cache$/, "the builder's libraries; Debian's loader knows the multiarch directories without it"],
  [/^\/var\/cache\/ldconfig(\/|$)/, "the builder's libraries"],
  [/^\/etc\/ssh\/ssh_host_/, 'a host makes its own keys'],
  [/^\/(etc|var\/lib\/dbus)\/machine-id$/, 'a host makes its own'],
  [/^\/var\/lib\/systemd\/random-seed$/, 'random'],
  [/^\/var\/log\/.*\.log$/, 'what the build did and when'],
  [/^\/var\/cache\/(debconf|apt)\/.+/, 'no package is configured on the device'],
  [/^\/var\/lib\/apt\/.+/, 'no package is installed on the device'],
  [/^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/, 'backups of the id table'],
  [/^\/etc\/\.pwd\.lock$/, 'a lock'],
  [/^\/usr\/sbin\/policy-rc\.d$/, 'ours, while the scripts run'],
]

export function isLeftBehind(path: string): boolean {
  return LEFT_BEHIND.some(([pattern]) => pattern.test(path))
}

/** Compares the root before and after its scripts ran. */
export function findChanges(before: ReadonlyMap<string, Seen>, after: ReadonlyMap<string, Seen>): Changes {
  const carried = [...after.keys()].filter((path) => {
    const then = before.get(path)
    const now = after.get(path)
    return !isLeftBehind(path) && now !== undefined && (then === undefined || touched(then, now))
  })
  const deleted = [...before.keys()].filter((path) => !after.has(path) && !isLeftBehind(path))
  return { carried: carried.sort(), deleted: deleted.sort() }
}

/** A directory's times move when something is made in it: that alone is no change of the directory. */
function touched(then: Seen, now: Seen): boolean {
  const same = then.kind === now.kind && then.mode === now.mode && then.uid === now.uid && then.gid === now.gid
  if (!same) return true
  return now.kind === 'directory'
    ? false
    : then.ctime !== now.ctime || then.inode !== now.inode || then.target !== now.target
}

export type Verdict =
  | { readonly kind: 'as-is' }
  | { readonly kind: 'rewritten'; readonly content: Buffer }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Whether a file that scripts made on the builder's architecture is right on the target's. Text that names the builder's
 * libraries is rewritten; programs, and data that name them, are refused.
 */
export function judgeContent(content: Buffer, builder: Architecture, target: Architecture): Verdict {
  if (content.subarray(0, 4).equals(ELF)) return { kind: 'refused', reason: 'a program or library' }
  const named = NAMES[builder].find((name) => content.includes(name))
  if (builder === target || named === undefined) return { kind: 'as-is' }
  if (content.includes(0)) return { kind: 'refused', reason: `binary data that names '${named}'` }
  return { kind: 'rewritten', content: Buffer.from(targetPath(content.toString('utf8'), builder, target)) }
}

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46])

/** What paths and texts of one architecture have and others do not: the library directory and the loader's path (its ABI). */
const NAMES: Record<Architecture, readonly [string, string]> = {
  amd64: [MULTIARCH.amd64, '/lib64/ld-linux-x86-64.so.2'],
  arm64: [MULTIARCH.arm64, '/lib/ld-linux-aarch64.so.1'],
}

export function targetPath(path: string, builder: Architecture, target: Architecture): string {
  return NAMES[builder].reduce((text, name, index) => text.replaceAll(name, NAMES[target][index] ?? name), path)
}
