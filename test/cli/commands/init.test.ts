import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { initHost } from '../../../builder/keys/init-host.ts'
import { type InitFlags, initGoal } from '../../../cli/commands/init.ts'
import { initText } from '../../../cli/text/init.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const [KEY = '', OTHER = ''] = PUBLIC_LINES

async function bench(scanned: readonly string[] = []) {
  const project = await tempDirectory()
  mkdirSync(join(project, 'hosts'))
  const env = { XDG_CONFIG_HOME: join(project, 'config') }
  const asked: string[] = []
  const keyscan = async (address: string) => {
    asked.push(address)
    return scanned
  }
  const run = async (flags: InitFlags = {}) => {
    const goal = initGoal(flags, '192.0.2.10')
    return initText('tiny', await initHost({ project, env, reporter: listReporter(), keyscan, host: 'tiny', goal }))
  }
  return { run, asked, files: () => readdirSync(join(project, 'hosts')) }
}

describe('init', () => {
  it('creates an identity without the network, and prints its keys and the files to commit', async () => {
    const { run, asked } = await bench()
    const lines = (await run()).split('\n')
    expect(lines).toEqual([
      'tiny: created the identity',
      expect.stringMatching(/^ {2}ssh {2}SHA256:.{43}$/),
      expect.stringMatching(/^ {2}age {2}age1.{58}$/),
      'add to the repository: git add hosts/tiny.identity.json hosts/tiny.identity.age',
      'next: npm run build:image tiny',
    ])
    expect(asked).toEqual([])
    expect((await run()).split('\n')[0]).toBe('tiny: the identity exists already; nothing changed')
  })

  it('prints how a new key is copied to the host', async () => {
    const { run } = await bench()
    await run()
    const lines = (await run({ rotate: 'ssh' })).split('\n')
    expect([lines[0], lines.at(-1)]).toEqual([
      'tiny: added a new key; the old keys stay valid',
      'next: npm run flash tiny sends the new key; if nothing else changed, the host does not restart',
    ])
  })

  it('adopts the key with the fingerprint from the console', async () => {
    const { run, asked, files } = await bench([OTHER, KEY])
    const text = await run({ adopt: fingerprintOf(KEY), at: '192.0.2.99:2222' })
    expect(text).toContain(`tiny: adopted the identity that the host created\n  ssh  ${fingerprintOf(KEY)}\n`)
    expect(asked).toEqual(['192.0.2.99:2222'])
    expect(files()).toEqual(['tiny.identity.json'])
  })

  it('refuses a key with another fingerprint, names both fingerprints, and writes nothing', async () => {
    const { run, asked, files } = await bench([OTHER])
    await expect(run({ adopt: fingerprintOf(KEY) })).rejects.toMatchObject({
      code: 'key',
      message: `cannot adopt the identity of tiny: the machine at 192.0.2.10 has the key ${fingerprintOf(OTHER)}, wanted ${fingerprintOf(KEY)}`,
    })
    expect(asked).toEqual(['192.0.2.10'])
    expect(files()).toEqual([])
  })

  it.each([
    [{ rotate: 'all' }, "cannot rotate 'all': wanted 'ssh' or 'age'"],
    [{ rotate: 'ssh', adopt: 'SHA256:x' }, "cannot combine '--rotate' with '--adopt'"],
    [{ at: '192.0.2.1' }, "'--at' needs '--adopt'"],
    [{ adopt: 'MD5:00:11' }, "not a fingerprint: 'MD5:00:11'"],
    [{ adopt: `${fingerprintOf(KEY)}=` }, `not a fingerprint: '${fingerprintOf(KEY)}='`],
  ])('refuses the arguments %j', (flags, message) => {
    expect(() => initGoal(flags, '192.0.2.10')).toThrow(
      expect.objectContaining({ code: 'usage', message, hint: expect.any(String) }),
    )
  })
})
