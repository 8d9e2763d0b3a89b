import { expect, it } from 'vitest'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'
import { begin, OWNER } from '../../../helpers/agent-update.ts'

const IMAGE = agentImage('new')
const OTHER = 'you@tower:/home/you/hangar'

describeAgent('the lock', (shell) => {
  const under = () => AgentHost.under(shell)
  const at = (host: AgentHost, seconds: number) => host.device.write('proc/uptime', `${seconds}.50 1.00\n`)
  /** The error of a write without `write begin`: `busy` if another owner has the lock, `state` if the call took the lock. */
  const ask = (host: AgentHost, owner: string) => host.call(['write', 'tree', owner]).error
  const held = (host: AgentHost) => /^owner (.*)$/m.exec(host.device.read('run/lock'))?.[1]

  it('a write takes the lock, each call of its owner renews it, and it refuses others until it expires', async () => {
    const host = await under()
    at(host, 100)
    expect(begin(host, IMAGE).answer).toMatchObject({ state: 'begun' })
    at(host, 699)
    expect(host.call(['write', 'tree', OTHER])).toMatchObject({
      ...{ error: 'busy', code: 1 },
      message: `${OWNER} is updating this host; its last call was 599 seconds ago`,
    })
    expect(ask(host, OWNER)).toBe(undefined)
    at(host, 1298)
    expect(ask(host, OTHER)).toBe('busy')
    at(host, 1299)
    expect([ask(host, OTHER), held(host)]).toEqual([undefined, OTHER])
    expect(ask(host, OWNER)).toBe('busy')
  })

  it('the lock does not expire while a call still writes', async () => {
    const held = async (weakened?: (host: AgentHost) => unknown) => {
      const host = await under()
      weakened?.(host)
      begin(host, IMAGE)
      const call = /^call (\d+)$/m.exec(host.device.read('run/lock'))?.[1]
      const name = `proc/${call}/cmdline`
      host.device.write(name, '/bin/sh\0/usr/lib/hangar/agent\0write\0blocks\0')
      at(host, 9000)
      const busy = host.call(['write', 'tree', OTHER])
      // The process id in the lock now belongs to another program.
      host.device.write(name, '/usr/sbin/sshd\0-D\0')
      return [busy.error, busy.message, ask(host, OTHER)]
    }
    expect(await held()).toEqual(['busy', `${OWNER} is updating this host; its last call was 0 seconds ago`, undefined])
    const weakened = (host: AgentHost) => host.weaken('lock', 'if lock_in_use; then', 'if false; then')
    expect((await held(weakened))[0]).toBe(undefined)
  })

  it('the lock refuses to arm a trial for another owner', async () => {
    const host = await under()
    ask(host, OWNER)
    const trial = ['--data', 'snapshot', '--commit', 'local', '--seconds', '300']
    expect(host.call(['arm', OTHER, 'one', IMAGE.root, ...trial]).error).toBe('busy')
  })

  it('only the owner releases the lock', async () => {
    const host = await under()
    ask(host, OWNER)
    expect(host.call(['release', OTHER]).answer).toEqual({ ok: true })
    expect(held(host)).toBe(OWNER)
    expect(host.call(['release', OWNER]).answer).toEqual({ ok: true })
    expect(held(host)).toBe(undefined)
    expect(ask(host, OTHER)).toBe('state')
  })

  it('the lock refuses an owner that is not one word', async () => {
    const host = await under()
    for (const owner of ['', 'two words', '-n', 'a;b', '$(id)', 'a\nowner b', `${'x'.repeat(201)}`, 'ä'])
      expect(ask(host, owner), owner).toBe('usage')
    expect(held(host)).toBe(undefined)
  })

  it('the lock admits two owners without its check (negative control)', async () => {
    const host = (await under()).weaken('lock', '[ "$owner" != "$1" ]', 'false')
    ask(host, OWNER)
    expect(ask(host, OTHER)).toBe('state')
  })
})
