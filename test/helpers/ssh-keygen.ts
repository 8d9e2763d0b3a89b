import { spawnSync } from 'node:child_process'

/** Tests that need the machine's own ssh-keygen are skipped if it is missing. */
export const HAS_SSH_KEYGEN = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!HAS_SSH_KEYGEN)
  console.warn('SKIPPED: this machine has no ssh-keygen, so keys and signatures are not compared with it')

/** Runs ssh-keygen. `output` is its stdout, and stderr too if it failed. */
export function sshKeygen(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('ssh-keygen', args, { input, encoding: 'utf8' })
  return { status, output: status === 0 ? stdout : stdout + stderr }
}
