import { type Architecture, MULTIARCH } from '../../architecture.ts'
import type { Seen } from '../parts/walk.ts'

/** The changes that maintainer scripts made to an unpacked root. */
export interface Changes {
  /** The new paths, and the paths with different content, mode, owner or extended attributes, sorted. */
  readonly carried: readonly string[]
  readonly deleted: readonly string[]
}

/** The changes that hangar does not copy to the target, each with the reason. */
const LEFT_BEHIND: readonly (readonly [RegExp, string])[] = [
  [/^\/(proc|sys|dev|run|tmp)(\/|$)/, 'mount points of a running system'],
  [
    /^\/var\/lib\/dpkg\/(?!alternatives\/|diversions$|statoverride$)/,
    "hangar writes the target's dpkg database itself",
  ],
  [
    /^\/etc\/ld\.so\.cache$/,
    "lists the builder's libraries; Debian's loader finds the multiarch directories without it",
  ],
  [/^\/var\/cache\/ldconfig(\/|$)/, "lists the builder's libraries"],
  [/^\/etc\/ssh\/ssh_host_/, 'each host has its own keys'],
  [/^\/(etc|var\/lib\/dbus)\/machine-id$/, 'each host has its own'],
  [/^\/var\/lib\/systemd\/random-seed$/, 'random'],
  [/^\/var\/log\/.*\.log$/, 'logs of the build'],
  [/^\/var\/cache\/(debconf|apt)\/.+/, 'no package is configured on the device'],
  [/^\/var\/lib\/apt\/.+/, 'no package is installed on the device'],
  [/^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/, 'backups of the id table'],
  [/^\/etc\/\.pwd\.lock$/, 'a lock file'],
  [/^\/usr\/sbin\/policy-rc\.d$/, 'hangar writes it while the scripts run'],
  [/\/__pycache__(\/|$)/, 'byte code that Python also makes itself, in memory'],
]

/** The changes that hangar does not copy to a container either. */
const LEFT_BEHIND_BY_CONTAINERS: typeof LEFT_BEHIND = [
  [/^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)$/, 'a container has a table of its own user only'],
  [/^\/var\/lib\/dpkg(\/|$)/, 'a container has no database of packages'],
  [/^\/(etc|var\/lib)\/systemd(\/|$)/, 'a container has no init system'],
  [/^\/etc\/(rc[0-6S]|init)\.d(\/|$)/, 'a container has no init system'],
]

/** Decides whether hangar does not copy the change of a path. */
export type LeavesBehind = (path: string) => boolean

export function isLeftBehind(path: string): boolean {
  return LEFT_BEHIND.some(([pattern]) => pattern.test(path))
}

export function isLeftBehindByContainers(path: string): boolean {
  return isLeftBehind(path) || LEFT_BEHIND_BY_CONTAINERS.some(([pattern]) => pattern.test(path))
}

/** Compares the root before and after its scripts ran. */
export function findChanges(
  before: ReadonlyMap<string, Seen>,
  after: ReadonlyMap<string, Seen>,
  leavesBehind: LeavesBehind = isLeftBehind,
): Changes {
  const carried = [...after.keys()].filter((path) => {
    const then = before.get(path)
    const now = after.get(path)
    return !leavesBehind(path) && now !== undefined && (then === undefined || hasChanged(then, now))
  })
  const deleted = [...before.keys()].filter((path) => !after.has(path) && !leavesBehind(path))
  return { carried: carried.sort(), deleted: deleted.sort() }
}

/** Ignores the times of a directory: they change when a file is created in it. */
function hasChanged(then: Seen, now: Seen): boolean {
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
 * Decides whether a file that scripts created on the builder is correct on the target. Rewrites text that contains the
 * builder's library directory. Refuses programs, and binary data that contains the directory.
 */
export function judgeContent(content: Buffer, builder: Architecture, target: Architecture): Verdict {
  if (content.subarray(0, 4).equals(ELF)) return { kind: 'refused', reason: 'it is a program or library' }
  const named = NAMES[builder].find((name) => content.includes(name))
  if (builder === target || named === undefined) return { kind: 'as-is' }
  if (content.includes(0)) return { kind: 'refused', reason: `it is binary data that contains '${named}'` }
  // latin1 keeps the bytes of a text in any encoding.
  return { kind: 'rewritten', content: Buffer.from(targetPath(content.toString('latin1'), builder, target), 'latin1') }
}

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46])

/** Text that differs between architectures: the library directory, and the path of the loader (from the ABI). */
const NAMES: Record<Architecture, readonly [string, string]> = {
  amd64: [MULTIARCH.amd64, '/lib64/ld-linux-x86-64.so.2'],
  arm64: [MULTIARCH.arm64, '/lib/ld-linux-aarch64.so.1'],
}

/** Replaces the builder's library directory and loader path by the target's. */
export function targetPath(path: string, builder: Architecture, target: Architecture): string {
  return NAMES[builder].reduce((text, name, index) => text.replaceAll(name, NAMES[target][index] ?? name), path)
}
