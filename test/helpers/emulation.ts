import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inUserNamespace } from './user-namespace.ts'

/** Paths in the package qemu-user. */
const QEMU = 'usr/bin/qemu-aarch64'
const REGISTRATION = 'usr/share/qemu/binfmt.d/qemu-aarch64.conf'

// Since Linux 6.7, each user namespace has its own binfmt_misc handlers, which disappear with its last process. Nothing is
// registered on the machine itself. Older kernels refuse the mount.
const REGISTER = `mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
cd "$EMULATOR"
printf %s "$REGISTERED" >/proc/sys/fs/binfmt_misc/register
cd /
`

/**
 * Runs a program in a user namespace in which it and its children can run arm64 programs under qemu-user. `emulator` is a
 * directory with the unpacked package qemu-user.
 */
export function emulating(emulator: string, program: string, args: readonly string[]): Promise<void> {
  const env = { EMULATOR: emulator, REGISTERED: registration(readFileSync(join(emulator, REGISTRATION), 'utf8')) }
  return inUserNamespace({ script: REGISTER, env }, program, args)
}

/** Debian's line with a relative path, because the kernel limits its length, and with flag F, which opens the emulator now. */
function registration(line: string): string {
  const [empty, name, type, offset, magic, mask, , flags = ''] = line.trim().split(':')
  return [empty, name, type, offset, magic, mask, QEMU, flags.includes('F') ? flags : `${flags}F`].join(':')
}
