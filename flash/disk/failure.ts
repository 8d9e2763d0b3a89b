import { UserError } from '../../errors.ts'

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'only root may write to disks: type the same command as root',
  EPERM: 'only root may write to disks: type the same command as root',
  EBUSY: 'see what has it in use: lsblk; unmount it, and type the same command again',
  EEXIST: 'somebody else has just made it',
  EROFS: 'cards have a switch against writing at their side',
  ENOMEDIUM: 'put a card in',
  ENOSPC: 'make room, and type the same command again',
}

/** What the system said when a disk was opened, read or written. */
export function diskFailure(action: 'open' | 'read' | 'write', path: string, error: unknown): UserError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const hint = HINTS[code] ?? 'plug it in again, or take another disk; the same command begins anew'
  const what = `cannot ${action} '${path}': ${message}`
  return new UserError(code === 'EBUSY' ? 'busy' : 'usage', what, { hint, cause: error })
}
