import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../builder/store/directory.ts'
import { publishCommand } from '../../../cli/commands/publish.ts'
import { pullCommand } from '../../../cli/commands/pull.ts'
import { MIB } from '../../../images/layout.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { smallGeneration } from '../../helpers/small-generation.ts'
import { SIGNED } from '../../helpers/small-image.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const HOST = { name: 'tiny', platform: 'pi', board: 'raspberry-pi-5', slotSize: 8 * MIB, trusted: [SIGNED.publicLine] }

/** What a command is given on a machine of its own. */
async function cliContext() {
  const project = await tempDirectory()
  const env = { HANGAR_STORE: join(project, 'store'), XDG_CONFIG_HOME: join(project, 'config') }
  const now = new Date('2026-01-02T03:04:05Z')
  return { project, env, reporter: listReporter(), now, signal: new AbortController().signal }
}

async function builder() {
  const given = await cliContext()
  await smallGeneration(await openStore(given.env.HANGAR_STORE), join(given.project, 'out/tiny'))
  return given
}

describe('publish and pull', () => {
  it('say where it is, what went, and what to type next', async () => {
    const [here, there] = [await builder(), await cliContext()]
    const to = join(here.project, 'stick')
    const first = await publishCommand({ ...here, host: 'tiny', flags: { to } })
    const [, root] = /generation 1 \(([0-9a-f]{12})\)/.exec(first) ?? []
    expect(first.replace(/[0-9a-f]{64}/, 'DIGEST')).toBe(
      [
        `tiny: generation 1 (${root}) is at ${to}:tiny-${root} and :tiny`,
        'sent 11 files, 47 kB; exactly this image is @sha256:DIGEST',
        `next: npm run pull tiny -- --from '${to}:tiny'`,
      ].join('\n'),
    )
    expect(await publishCommand({ ...here, host: 'tiny', flags: { to } })).toContain(
      'sent 0 files, 0 B; 11 (47 kB) were there',
    )
    expect(await pullCommand({ ...there, host: HOST, flags: { from: to } })).toBe(
      [
        `tiny: generation 1 (${root}), 37 kB in out/tiny, written`,
        `from ${to}:tiny: built 2026-01-02T03:04:05.000Z, signed by a key that hosts/tiny.ts or this machine trusts`,
        'next: npm run flash tiny -- --no-build',
      ].join('\n'),
    )
    expect(existsSync(join(there.project, 'out/tiny/tiny.img'))).toBe(true)
    // Nothing was made that signs.
    expect(existsSync(there.env.XDG_CONFIG_HOME)).toBe(false)
  })

  it('refuse what they cannot do, before anything else', async () => {
    const here = await builder()
    const to = join(here.project, 'stick')
    const publish = (flags: { to: string; generation?: string }) => publishCommand({ ...here, host: 'tiny', flags })
    await expect(publish({ to: `${to}@sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({ code: 'usage' })
    await expect(publish({ to, generation: 'last' })).rejects.toMatchObject({ code: 'usage' })
    await expect(publish({ to: 'https://registry.lab/x' })).rejects.toMatchObject({ code: 'usage' })
    expect(existsSync(to)).toBe(false)
  })
})
