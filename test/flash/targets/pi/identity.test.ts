import { describe, expect, it } from 'vitest'
import { planText } from '../../../../cli/text/plan.ts'
import { UserError } from '../../../../errors.ts'
import { withIdentity } from '../../../../flash/targets/pi/plan.ts'
import { describeStep } from '../../../../flash/targets/pi/step.ts'
import type { OwnIdentity } from '../../../../flash/targets/target.ts'
import { ownKeysText, type PrivateIdentity, publicOf } from '../../../../images/identity/private-identity.ts'
import { IDENTITY } from '../../../helpers/small-identity.ts'
import { updateBench } from '../../../helpers/update-bench.ts'
import { updateImage } from '../../../helpers/update-image.ts'

/** The identity before the last rotation of both kinds of keys. */
const FORMER: PrivateIdentity = { ...IDENTITY, ssh: IDENTITY.ssh.slice(1), age: IDENTITY.age.slice(1) }
const [{ ssh: NEW_SSH, age: NEW_AGE }, { ssh, age }] = [publicOf(IDENTITY), publicOf(FORMER)]
const NOW = { ssh: NEW_SSH, age: NEW_AGE }
const BEFORE = { ssh, age }

const repository = (own = IDENTITY): OwnIdentity => ({
  known: publicOf(own),
  open: async () => Buffer.from(ownKeysText(own)),
})
const closed = (open: OwnIdentity['open']): OwnIdentity => ({ known: publicOf(IDENTITY), open })

/** A host with former keys. A `current` host runs the image already. */
async function bench(image: 'current' | 'older' = 'older') {
  const next = updateImage({ name: 'new' })
  const made = await updateBench(image === 'current' ? { old: next, next } : { next })
  made.host.identity = { ...BEFORE }
  return made
}

describe('keys that the host lacks', () => {
  it('sends missing keys before the first write, so that the trial has them', async () => {
    const { host, run, progress } = await bench()
    expect((await run({}, repository())).kind).toBe('updated')
    expect(host.identity).toEqual(NOW)
    expect(host.calls.slice(0, 3)).toEqual(['status', 'identity', 'write begin'])
    expect(progress.ended).toContain('send the host its keys')
  })

  it('sends missing keys without a restart if the host runs the image, and releases the lock', async () => {
    const { host, run } = await bench('current')
    expect(await run({}, repository())).toMatchObject({
      ...{ kind: 'renewed', slot: 'a', sent: Buffer.byteLength(ownKeysText(IDENTITY)) },
    })
    expect([host.calls, host.boots, host.lock]).toEqual([['status', 'identity', 'release'], 1, null])
    expect((await run({}, repository())).kind).toBe('nothing')
  })

  it('sends missing keys again after a broken connection', async () => {
    const { host, run } = await bench('current')
    host.faults.lostAnswers.push('identity')
    host.faults.cuts.push({ call: 'identity', after: 100 })
    expect((await run({}, repository())).kind).toBe('renewed')
    expect([host.identity, host.calls.filter((call) => call === 'identity').length]).toEqual([NOW, 3])
  })

  it('sends keys if only one kind is new, or if the order differs', async () => {
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

  it('ends the update before the first write if the host refuses the keys', async () => {
    const { host, run } = await bench()
    const call = host.call.bind(host)
    const error = { code: 'identity', message: 'one is missing', hint: 'git pull' }
    host.call = async (words, options) =>
      words[0] === 'identity' ? { exitCode: 1, output: JSON.stringify({ error }), stderr: '' } : call(words, options)
    await expect(run({}, repository())).rejects.toMatchObject({ refusal: 'identity', hint: 'git pull' })
    expect([host.calls, host.lock]).toEqual([['status', 'release'], null])
  })
})

describe('no keys are sent', () => {
  const refuse = () => Promise.reject(new Error('the private half was opened'))

  it('sends no keys to a host that has all keys, and does not open the private half', async () => {
    const { host, run, progress } = await bench('current')
    host.identity = { ...NOW }
    expect((await run({}, closed(refuse))).kind).toBe('nothing')
    expect([host.calls, progress.notices]).toEqual([['status'], []])
  })

  it('sends no keys if the project lacks the private half or the identity', async () => {
    const adopted: OwnIdentity = { known: { format: 1, ssh: NEW_SSH, age: [] }, open: async () => undefined }
    for (const identity of [adopted, { ...adopted, known: undefined }]) {
      const { host, run, progress } = await bench('current')
      host.identity = { ssh, age: [] }
      expect([(await run({}, identity)).kind, progress.notices]).toEqual(['nothing', []])
    }
  })

  it.each([
    [
      "by a controller without the owner's key",
      closed(() => Promise.reject(new UserError('key', 'there is no key', { hint: 'put your copy there' }))),
      'there is no key; put your copy there',
    ],
    [
      'by a checkout that is older than the host',
      { ...repository(FORMER), open: refuse },
      'it has a key that hosts/adama.identity.json does not list: git pull',
    ],
  ])('sends no keys %s: the update prints a notice and continues', async (_controller, identity, why) => {
    const { host, run, progress } = await bench()
    const had = identity.open === refuse ? NOW : BEFORE
    host.identity = { ...had }
    expect((await run({}, identity)).kind).toBe('updated')
    expect(host.identity).toEqual(had)
    expect(progress.notices).toEqual([`adama keeps its current keys: ${why}`])
  })

  it('sends no keys to an agent that does not report its keys, and prints a notice after a rotation', async () => {
    for (const [own, notices] of [
      [IDENTITY, [expect.stringContaining('flash again after this update')]],
      [FORMER, []],
    ] as const) {
      const { host, run, progress } = await bench()
      host.statusOverrides = { identity: undefined }
      expect((await run({}, repository(own))).kind).toBe('updated')
      expect([host.identity, progress.notices]).toEqual([BEFORE, notices])
    }
  })

  it('sends no keys to a host on trial', async () => {
    const { host, run } = await bench()
    host.statusOverrides = { state: 'trial' }
    await expect(run({}, closed(refuse))).rejects.toThrow('the trial has not ended')
  })

  it('fails the update if the file of the private half is damaged', async () => {
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
  it('a plan with keys lists the keys first, and no restart', () => {
    expect(planText('adama', withIdentity(Buffer.alloc(1500), []).map(describeStep)).split('\n')).toEqual([
      'adama: flash would perform these steps',
      '  1. send the host its keys: the keys of its identity that it lacks; the host keeps its former keys',
      '  2. release the lock',
      'sends at most 1.5 kB before compression; no restart',
    ])
    expect(withIdentity(undefined, [])).toEqual([])
  })
})
