import type { Command } from '../command.ts'

export interface LockFlags {
  readonly update?: true
}

export const lock: Command<LockFlags> = {
  name: 'lock',
  group: 'build',
  arguments: '',
  summary: 'resolve packages of all hosts into the lock files',
  details: [
    'Adds packages that hosts need and the lock file does not name yet, for amd64 and arm64 builders.',
    'Resolves npm packages of services with npm. Commit the lock files that changed afterwards.',
  ],
  options: [{ flags: '--update', about: 'update all packages to the newest versions of the mirrors' }],
  examples: [
    { about: 'lock the packages of a changed host file', line: 'npm run lock' },
    { about: 'update all packages', line: 'npm run lock -- --update' },
  ],
  async run(context, _words, { update }) {
    const { lockAll } = await import('../../builder/lock/lock-all.ts')
    const { plansFor } = await import('../build-hosts.ts')
    const { withLabMirrors } = await import('../lab-mirrors.ts')
    const { CONTROL, VM } = await import('../../images/sets.ts')
    const failed = { outcome: 'hangar locked nothing', hint: 'correct these hosts: the lock file covers every host' }
    const plans = await plansFor(context, context.hosts.names(), failed)
    const locked = await lockAll(await withLabMirrors(context), {
      plans,
      tools: [CONTROL, VM],
      mode: update ? 'update' : 'missing',
    })
    if (locked.outcome === 'unchanged')
      return 'the lock file is up to date; to update all packages: npm run lock -- --update'
    return `the lock file has ${locked.packages} packages in ${locked.sets} sets`
  },
}
