import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inUserNamespace } from './user-namespace.ts'

/** Below an unpacked `qemu-user`. */
const QEMU = 'usr/bin/qemu-aarch64'
const REGISTRATION = 'usr/share/qemu/binfmt.d/qemu-aarch64.conf'

// Since Linux 6.7 a user namespace has its own handlers of foreign programs: nothing is registered on the machine, and
// what is dies with the last process. Older kernels refuse the mount.
const REGISTER = `mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
cd "$EMULATOR"
printf %s "$REGISTERED" >/proc/sys/fs/binfmt_misc/register
cd /
`

/**
 * Runs a program where it, and all that it starts, can run programs for arm64 under qemu-user. `emulator` is a
 * directory with the package `qemu-user` unpacked.
 */
export function emulating(emulator: string, program: string, args: readonly string[]): Promise<void> {
  const env = { EMULATOR: emulator, REGISTERED: registration(readFileSync(join(emulator, REGISTRATION), 'utf8')) }
  return inUserNamespace({ script: REGISTER, env }, program, args)
}

/** Debian's line with another path, short enough for the kernel, and the emulator opened now (F), while it is right. */
function registration(line: string): string {
  const [nothing, name, type, offset, magic, mask, , flags = ''] = line.trim().split(':')
  return [nothing, name, type, offset, magic, mask, QEMU, flags.includes('F') ? flags : `${flags}F`].join(':')
}
