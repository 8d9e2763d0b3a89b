import { type Goal, TRIAL_SECONDS } from '../../flash/goal.ts'
import { withArtifact } from '../../flash/targets/pi/artifact.ts'
import { piTarget } from '../../flash/targets/pi/target.ts'
import type { OwnIdentity } from '../../flash/targets/target.ts'
import { type Updated, update } from '../../flash/update.ts'
import { FakeHost } from './fake-agent.ts'
import { FakeClock } from './fake-clock.ts'
import { listProgress } from './progress-list.ts'
import { tempDirectory } from './temp.ts'
import { type UpdateImage, updateImage, writeUpdateImage } from './update-image.ts'

export const OWNER = 'me@laptop:/home/me/hangar'
export const UPDATE: Goal = {
  ...{ kind: 'update', transfer: { kind: 'missing' }, downgrade: 'refused' },
  ...{ trialSeconds: TRIAL_SECONDS, owner: OWNER },
}

/** The identity of a host for which the repository has none. */
export const NO_IDENTITY: OwnIdentity = { known: undefined, open: async () => undefined }

/** Returns a fake host that runs `old` in slot a and whose slot b was never written, and a function that updates it to `next`. */
export async function updateBench(given: { old?: UpdateImage; next?: UpdateImage } = {}) {
  const clock = new FakeClock()
  const { old = updateImage({ name: 'old' }), next = updateImage({ name: 'new' }) } = given
  const host = new FakeHost(clock, old)
  const directory = await tempDirectory()
  await writeUpdateImage(directory, next)
  const progress = listProgress()
  const target = piTarget({
    ...{ remote: host, owner: OWNER, clock, progress },
    compress: (source) => source,
    newId: () => 'trial-1',
  })
  const run = (goal: Partial<Goal> = {}, identity = NO_IDENTITY): Promise<Updated> =>
    withArtifact('adama', directory, (artifact) =>
      update({ target, artifact, identity, progress, clock, goal: { ...UPDATE, ...goal } }),
    )
  return { clock, old, next, host, directory, progress, target, run }
}
