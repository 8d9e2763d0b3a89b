import { spawnSync } from 'node:child_process'

/** Tests that need the machine's own ssh-keygen are skipped without it, and say so. */
export const HAS_SSH_KEYGEN = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!HAS_SSH_KEYGEN) console.warn('no ssh-keygen on this machine: what it says of keys and signatures is not tested')

/** Runs ssh-keygen; `output` is what it printed, errors included where it failed. */
export function sshKeygen(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('ssh-keygen', args, { input, encoding: 'utf8' })
  return { status, output: status === 0 ? stdout : stdout + stderr }
}
