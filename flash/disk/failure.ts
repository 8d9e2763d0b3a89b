import { UserError } from '../../errors.ts'

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'only root may write to disks: run the same command as root',
  EPERM: 'only root may write to disks: run the same command as root',
  EBUSY: 'find its mounts with lsblk, unmount them (umount), then run the same command again',
  EEXIST: 'another program has just created the file: run the same command again',
  EROFS: 'the disk is write-protected: SD cards have a switch on their side',
  ENOMEDIUM: 'insert a card into the reader',
  ENOSPC: 'free disk space, then run the same command again',
}

/** Converts a system error of opening, reading or writing a disk into a UserError with a hint. */
export function diskFailure(action: 'open' | 'read' | 'write', path: string, error: unknown): UserError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const hint =
    HINTS[code] ??
    'reconnect the disk or use another disk, then run the same command again: it starts from the beginning'
  const what = `cannot ${action} '${path}': ${message}`
  return new UserError(code === 'EBUSY' ? 'busy' : 'usage', what, { hint, cause: error })
}
