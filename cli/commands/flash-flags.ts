import { UserError } from '../../errors.ts'
import type { GoalFlags } from '../../flash/goal.ts'

/** As the flags of `flash` are given. */
export interface FlashFlags extends GoalFlags {
  readonly dryRun?: true
  readonly build: boolean
  readonly runner?: string
  readonly at?: string
  readonly disk?: string
  readonly yes?: true
  readonly keepData?: true
  readonly withoutIdentity?: true
}

const OF_DISK = { yes: '--yes', keepData: '--keep-data', withoutIdentity: '--without-identity' } as const
const OF_NETWORK = {
  ...{ dryRun: '--dry-run', stage: '--stage', full: '--full', allowDowngrade: '--allow-downgrade', at: '--at' },
  trialSeconds: '--trial-seconds',
} as const

/** A flag that would be passed over is refused: `--dry-run` with `--disk` would write the disk. */
export function checkFlashFlags(names: readonly string[], flags: FlashFlags): void {
  requireOneHost(names, flags)
  const given = <Names extends object>(of: Names) =>
    Object.entries(of).find(([name]) => flags[name as keyof FlashFlags] !== undefined)?.[1] as string | undefined
  const network = given(OF_NETWORK)
  if (flags.disk !== undefined && network !== undefined) {
    throw new UserError('usage', `'--disk' writes a disk of this machine: '${network}' means nothing with it`, {
      hint: 'leave one of them out',
    })
  }
  const disk = given(OF_DISK)
  if (flags.disk === undefined && disk !== undefined) {
    throw new UserError('usage', `'${disk}' means nothing without '--disk'`, { hint: 'leave it out, or name the disk' })
  }
  if (!flags.build && flags.runner !== undefined) {
    throw new UserError('usage', `'--runner' means nothing with '--no-build'`, { hint: 'leave one of them out' })
  }
}

/** An address or a disk is one host's. */
export function requireOneHost(
  names: readonly string[],
  flags: { readonly at?: string | undefined; readonly disk?: string | undefined },
): void {
  const flag = flags.disk !== undefined ? '--disk' : flags.at !== undefined ? '--at' : undefined
  if (flag === undefined || names.length === 1) return
  throw new UserError('usage', `'${flag}' is for one host, not for ${names.length || 'all'}`, {
    hint: `name one host, or leave '${flag}' out: addresses are in the host files`,
  })
}
