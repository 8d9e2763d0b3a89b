import { describe, expect, it } from 'vitest'
import { UserError } from '../../../../errors.ts'
import { type OwnIdentity, withIdentity } from '../../../../flash/targets/pi/identity.ts'
import { describePlan } from '../../../../flash/targets/pi/step-text.ts'
import { ownKeysText, type PrivateIdentity, publicOf } from '../../../../images/identity/private-identity.ts'
import { IDENTITY } from '../../../helpers/small-identity.ts'
import { updateBench } from '../../../helpers/update-bench.ts'
import { updateImage } from '../../../helpers/update-image.ts'

/** Before the last rotation of both kinds. */
const FORMER: PrivateIdentity = { ...IDENTITY, ssh: IDENTITY.ssh.slice(1), age: IDENTITY.age.slice(1) }
const [{ ssh: NEW_SSH, age: NEW_AGE }, { ssh, age }] = [publicOf(IDENTITY), publicOf(FORMER)]
const NOW = { ssh: NEW_SSH, age: NEW_AGE }
const BEFORE = { ssh, age }

const repository = (own = IDENTITY): OwnIdentity => ({
  known: publicOf(own),
  open: async () => Buffer.from(ownKeysText(own)),
})
const closed = (open: OwnIdentity['open']): OwnIdentity => ({ known: publicOf(IDENTITY), open })

/** A host with former keys; one that is `current` runs the image already. */
async function bench(image: 'current' | 'older' = 'older') {
  const next = updateImage({ name: 'new' })
  const made = await updateBench(image === 'current' ? { old: next, next } : { next })
  made.host.identity = { ...BEFORE }
  return made
}

describe('keys that a host does not have yet', () => {
  it('are brought before anything is written, so that the trial has them', async () => {
    const { host, run, progress } = await bench()
    expect((await run({}, repository())).kind).toBe('updated')
    expect(host.identity).toEqual(NOW)
    expect(host.calls.slice(0, 3)).toEqual(['status', 'identity', 'write begin'])
    expect(progress.ended).toContain('bring the host its keys')
  })

  it('are brought where there is nothing else to do, without a restart, and the lock is given back', async () => {
    const { host, run } = await bench('current')
    expect(await run({}, repository())).toMatchObject({
      ...{ kind: 'renewed', slot: 'a', sent: Buffer.byteLength(ownKeysText(IDENTITY)) },
    })
    expect([host.calls, host.boots, host.lock]).toEqual([['status', 'identity', 'release'], 1, null])
    expect((await run({}, repository())).kind).toBe('nothing')
  })

  it('are brought again where the connection broke, whatever became of the first time', async () => {
    const { host, run } = await bench('current')
    host.faults.lostAnswers.push('identity')
    host.faults.cuts.push({ call: 'identity', after: 100 })
    expect((await run({}, repository())).kind).toBe('renewed')
    expect([host.identity, host.calls.filter((call) => call === 'identity').length]).toEqual([NOW, 3])
  })

  it('are brought where only one kind is new, or the order is another', async () => {
    for (const have of [
      { ssh, age: NEW_AGE },
      { ssh: NEW_SSH, age },
      { ssh: [...NEW_SSH].reverse(), age: NEW_AGE },
    ]) {
      const { host, run } = await bench('current')
      host.identity = have
      expect((await run({}, repository())).kind).toBe('renewed')
      expect(host.identity).toEqual(NOW)
    }
  })

  it('that it refuses end the update before anything is written', async () => {
    const { host, run } = await bench()
    const call = host.call.bind(host)
    const error = { code: 'identity', message: 'one is missing', hint: 'git pull' }
    host.call = async (words, options) =>
      words[0] === 'identity' ? { exitCode: 1, output: JSON.stringify({ error }), complaint: '' } : call(words, options)
    await expect(run({}, repository())).rejects.toMatchObject({ refusal: 'identity', hint: 'git pull' })
    expect([host.calls, host.lock]).toEqual([['status', 'release'], null])
  })
})

describe('nothing is brought', () => {
  const refuse = () => Promise.reject(new Error('nobody asks for what is private'))

  it('to a host that has all of it, and the private half is not even opened', async () => {
    const { host, run, progress } = await bench('current')
    host.identity = { ...NOW }
    expect((await run({}, closed(refuse))).kind).toBe('nothing')
    expect([host.calls, progress.notices]).toEqual([['status'], []])
  })

  it('by a project that has no private half, or knows of no identity', async () => {
    const adopted: OwnIdentity = { known: { format: 1, ssh: NEW_SSH, age: [] }, open: async () => undefined }
    for (const identity of [adopted, { ...adopted, known: undefined }]) {
      const { host, run, progress } = await bench('current')
      host.identity = { ssh, age: [] }
      expect([(await run({}, identity)).kind, progress.notices]).toEqual(['nothing', []])
    }
  })

  it.each([
    [
      "by whoever lacks the owner's key",
      closed(() => Promise.reject(new UserError('key', 'there is no key', { hint: 'put your copy there' }))),
      'there is no key; put your copy there',
    ],
    [
      'by a project that is older than the host',
      { ...repository(FORMER), open: refuse },
      'it has one that hosts/adama.identity.json does not know: git pull',
    ],
  ])('%s: a notice, and the update goes on', async (_who, identity, why) => {
    const { host, run, progress } = await bench()
    const had = identity.open === refuse ? NOW : BEFORE
    host.identity = { ...had }
    expect((await run({}, identity)).kind).toBe('updated')
    expect(host.identity).toEqual(had)
    expect(progress.notices).toEqual([`adama keeps the keys that it has: ${why}`])
  })

  it('to an agent that does not say what it has, with a notice where there was a rotation', async () => {
    for (const [own, notices] of [
      [IDENTITY, [expect.stringContaining('once this image does, flash again')]],
      [FORMER, []],
    ] as const) {
      const { host, run, progress } = await bench()
      host.statusOverrides = { identity: undefined }
      expect((await run({}, repository(own))).kind).toBe('updated')
      expect([host.identity, progress.notices]).toEqual([BEFORE, notices])
    }
  })

  it('to a host that must not be updated now', async () => {
    const { host, run } = await bench()
    host.statusOverrides = { state: 'trial' }
    await expect(run({}, closed(refuse))).rejects.toThrow('has not decided yet')
  })

  it('where the file of the private half is damaged: that is told as what it is', async () => {
    const { run } = await bench()
    const damaged = new UserError('format', 'it is damaged')
    await expect(
      run(
        {},
        closed(() => Promise.reject(damaged)),
      ),
    ).rejects.toBe(damaged)
  })
})

describe('a plan with keys', () => {
  it('says so first, and that nothing restarts for them', () => {
    expect(describePlan('adama', withIdentity(Buffer.alloc(1500), [])).split('\n')).toEqual([
      'adama: would do this',
      '  1. bring the host its keys: those of its identity that it does not have; what it has stays, behind them',
      '  2. release the lock',
      'at most 1.5 kB are sent, before compression; no restart',
    ])
    expect(withIdentity(undefined, [])).toEqual([])
  })
})
