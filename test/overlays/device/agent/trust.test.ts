import { expect, it } from 'vitest'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { SIGNING_LINE } from '../../../helpers/update-image.ts'

const ROOT = 'cd'.repeat(32)
const ON_TRIAL = {
  phase: 'trial',
  id: 'one',
  slot: 'b',
  root: ROOT,
  commit: 'controller',
  data: 'snapshot',
  seconds: '300',
}
const [FIRST, SECOND] = [SIGNING_LINE.split(' ').slice(0, 2).join(' '), 'ssh-ed25519 AAAAsecond']

describeAgent('the keys of a committed image', (shell) => {
  /** Commits a trial of an image that names these keys. Returns the keys that the host trusts after the commit. */
  async function committed(
    names: string[],
    { kind = 'update', serial = '5 1', floor = '5 0', revoked = '', weakened = '' } = {},
  ) {
    const record = { ...ON_TRIAL, kind, serial }
    const host = await AgentHost.under(shell, { slot: 'b', tryboot: 1, root: ROOT, record })
    host.device.write('lib/signing', names.map((name) => `${name}\n`).join(''))
    host.device.write('run/identity/trust/serial', `${floor}\n`)
    host.device.write('run/identity/trust/revoked', revoked)
    if (weakened !== '') host.weaken('trial', weakened, '')
    expect(host.call(['commit', 'one', ROOT]).answer).toEqual({ ok: true, slot: 'b' })
    const trust = (name: string) => host.device.read(`run/identity/trust/${name}`)
    return { signing: trust('signing'), revoked: trust('revoked'), serial: trust('serial'), host }
  }

  it('a commit makes the keys of the image the trusted keys, and revokes former keys, also on the disk', async () => {
    const { host, ...trust } = await committed([`${SECOND} a remark`])
    expect(trust).toEqual({ signing: `${SECOND}\n`, revoked: `${FIRST}\n`, serial: '5 1\n' })
    for (const copy of [0, 16 * 2 ** 20])
      expect(
        host
          .partition('identity')
          .subarray(copy, copy + 65536)
          .toString('latin1'),
      ).toContain(`${SECOND}\n`)
  })

  it.each([
    ['by a revert', { kind: 'revert' }],
    ['by a fallback boot', { kind: 'rescue' }],
    ['by an older image', { serial: '4 9' }],
    ['by a trial without a record', { serial: '' }],
  ])('a commit does not change the trusted keys if it happens %s', async (_how, options) => {
    const { signing, serial } = await committed([SECOND], options)
    expect([signing, serial]).toEqual([`${SIGNING_LINE}\n`, '5 0\n'])
  })

  it('a revert restores revoked keys without the check (negative control)', async () => {
    const weakened = '  [ "$(record_get kind)" = update ] || return 0\n'
    expect((await committed([SECOND], { kind: 'revert', weakened })).signing).toBe(`${SECOND}\n`)
  })

  it('a revoked key stays revoked if only its comment changes', async () => {
    const { signing, revoked } = await committed([FIRST, `${SECOND} new remark`], { revoked: `${SECOND} old\n` })
    expect([signing, revoked]).toEqual([`${FIRST}\n`, `${SECOND}\n`])
  })

  it('the trusted keys do not change if the image names only revoked keys', async () => {
    expect((await committed([])).signing).toBe(`${SIGNING_LINE}\n`)
    expect((await committed([SECOND], { revoked: SECOND })).signing).toBe(`${SIGNING_LINE}\n`)
  })
})
