import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { initCommand, initGoal } from '../../../cli/commands/init.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const [KEY = '', OTHER = ''] = PUBLIC_LINES

async function init(shown: readonly string[] = []) {
  const project = await tempDirectory()
  mkdirSync(join(project, 'hosts'))
  const env = { XDG_CONFIG_HOME: join(project, 'config') }
  const asked: string[] = []
  const keyscan = async (address: string) => {
    asked.push(address)
    return shown
  }
  const run = (flags: Parameters<typeof initGoal>[0] = {}) =>
    initCommand({
      ...{ project, env, reporter: listReporter(), keyscan },
      host: 'tiny',
      goal: initGoal(flags, '192.0.2.10'),
    })
  return { run, asked, files: () => readdirSync(join(project, 'hosts')) }
}

describe('npm run init', () => {
  it('says what it made and what to keep, and asks nothing of the network', async () => {
    const { run, asked } = await init()
    const lines = (await run()).split('\n')
    expect(lines).toEqual([
      'tiny: identity made',
      expect.stringMatching(/^ {2}ssh {2}SHA256:.{43}$/),
      expect.stringMatching(/^ {2}age {2}age1.{58}$/),
      'keep it with the project: git add hosts/tiny.identity.json hosts/tiny.identity.age',
      'next: npm run build:image tiny',
    ])
    expect(asked).toEqual([])
    expect((await run()).split('\n')[0]).toBe('tiny: has its identity already; nothing was changed')
  })

  it('says how a new key comes to the host', async () => {
    const { run } = await init()
    await run()
    const lines = (await run({ rotate: 'ssh' })).split('\n')
    expect([lines[0], lines.at(-1)]).toEqual([
      'tiny: has a new key, and keeps the old ones',
      'next: npm run flash tiny, which brings it the key: without a restart, if nothing else has changed',
    ])
  })

  it('adopts the key whose fingerprint was read on the console', async () => {
    const { run, asked, files } = await init([OTHER, KEY])
    const text = await run({ adopt: fingerprintOf(KEY), at: '192.0.2.99:2222' })
    expect(text).toContain(`tiny: keeps the identity that it made itself\n  ssh  ${fingerprintOf(KEY)}\n`)
    expect(asked).toEqual(['192.0.2.99:2222'])
    expect(files()).toEqual(['tiny.identity.json'])
  })

  it('refuses any other key with both fingerprints, and writes nothing', async () => {
    const { run, asked, files } = await init([OTHER])
    await expect(run({ adopt: fingerprintOf(KEY) })).rejects.toMatchObject({
      code: 'key',
      message: `the machine at 192.0.2.10 is not the one whose console was read: its key is ${fingerprintOf(OTHER)}, wanted ${fingerprintOf(KEY)}`,
    })
    expect(asked).toEqual(['192.0.2.10'])
    expect(files()).toEqual([])
  })

  it.each([
    [{ rotate: 'all' }, "cannot rotate 'all'"],
    [{ rotate: 'ssh', adopt: 'SHA256:x' }, "'--rotate' and '--adopt' exclude each other"],
    [{ at: '192.0.2.1' }, "'--at' is for '--adopt' alone"],
    [{ adopt: 'MD5:00:11' }, "not a fingerprint: 'MD5:00:11'"],
    [{ adopt: `${fingerprintOf(KEY)}=` }, `not a fingerprint: '${fingerprintOf(KEY)}='`],
  ])('refuses %j', (flags, message) => {
    expect(() => initGoal(flags, '192.0.2.10')).toThrow(
      expect.objectContaining({ code: 'usage', message, hint: expect.any(String) }),
    )
  })
})
