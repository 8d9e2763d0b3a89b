import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../builder/store/directory.ts'
import { type PublishFlags, publish } from '../../../cli/commands/publish.ts'
import { pull } from '../../../cli/commands/pull.ts'
import { MIB } from '../../../images/layout.ts'
import { parseHostName } from '../../../images/names.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { smallGeneration } from '../../helpers/small-generation.ts'
import { SIGNED } from '../../helpers/small-image.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const HOST: Partial<Host> = {
  ...{ name: parseHostName('tiny'), board: 'raspberry-pi-5', slotSize: 8 * MIB },
  updates: { signingKeys: [SIGNED.publicLine] },
}

/** A machine with its own project and store, and functions that run publish and pull there. */
async function machine() {
  const project = await tempDirectory()
  const env = { HANGAR_STORE: join(project, 'store'), XDG_CONFIG_HOME: join(project, 'config') }
  const context = commandContext({ project, env, now: new Date('2026-01-02T03:04:05Z'), facts: [HOST] })
  return {
    ...{ project, env },
    publish: async (flags: PublishFlags) => (await publish.run(context, ['tiny'], flags)) ?? '',
    pull: async (from: string) => (await pull.run(context, ['tiny'], { from })) ?? '',
  }
}

async function builder() {
  const built = await machine()
  await smallGeneration(await openStore(built.env.HANGAR_STORE), join(built.project, 'out/tiny'))
  return built
}

describe('publish and pull', () => {
  it('publish and pull print the remote repository, the amount of data and the next command', async () => {
    const [here, there] = [await builder(), await machine()]
    const to = join(here.project, 'stick')
    const first = await here.publish({ to })
    const [, root] = /generation 1 \(([0-9a-f]{12})\)/.exec(first) ?? []
    expect(first.replace(/[0-9a-f]{64}/, 'DIGEST')).toBe(
      [
        `tiny: published generation 1 (${root}) to ${to}:tiny-${root} and :tiny`,
        'sent 11 files, 47 kB; digest of the image: @sha256:DIGEST',
        `next: npm run pull tiny -- --from '${to}:tiny'`,
      ].join('\n'),
    )
    expect(await here.publish({ to })).toContain('sent 0 files, 0 B; already there: 11 files, 47 kB')
    expect(await there.pull(to)).toBe(
      [
        `tiny: generation 1 (${root}), 37 kB in out/tiny, written`,
        `pulled from ${to}:tiny: built 2026-01-02T03:04:05.000Z, signed by a trusted key`,
        'next: npm run flash tiny -- --no-build',
      ].join('\n'),
    )
    expect(existsSync(join(there.project, 'out/tiny/tiny.img'))).toBe(true)
    // A pull makes no signing key.
    expect(existsSync(there.env.XDG_CONFIG_HOME)).toBe(false)
  })

  it('publish and pull refuse wrong arguments before they write anything', async () => {
    const here = await builder()
    const to = join(here.project, 'stick')
    const { publish: publishTiny } = here
    await expect(publishTiny({ to: `${to}@sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({ code: 'usage' })
    await expect(publishTiny({ to, generation: 'last' })).rejects.toMatchObject({ code: 'usage' })
    await expect(publishTiny({ to: 'https://registry.lab/x' })).rejects.toMatchObject({ code: 'usage' })
    expect(existsSync(to)).toBe(false)
  })
})
