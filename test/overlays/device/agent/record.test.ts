import { expect, it } from 'vitest'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { RECORD_PLACES, type RecordText, readRecord, recordBlock } from '../../../helpers/agent-record.ts'
import { randomFrom } from '../../../power-cut/random.ts'

const OLD = { phase: 'written', slot: 'b', root: 'ab'.repeat(32), reason: '', committed: 'a' }
const NEW = { ...OLD, phase: 'armed', id: 'one' }

describeAgent('the record', (shell) => {
  const under = (record?: RecordText) => AgentHost.under(shell, record === undefined ? {} : { record })
  /** Lets the script read each pair of copies, and returns one value of each record, or an empty string. */
  const loads = (host: AgentHost, copies: readonly (readonly [Buffer, Buffer])[]) => {
    for (const [index, pair] of copies.entries())
      host.device.write(`copies/${String(index).padStart(4, '0')}`, Buffer.concat(pair))
    const read = `for copy in ${host.device.path('copies')}/*; do
      IDENTITY=$copy RECORD_PLACES='0 1'
      record_load
      echo "$RECORD_SEQUENCE $(printf '%s' "$RECORD" | tr '\\n' ';')"
    done`
    return host.shell(read).stdout.trimEnd().split('\n')
  }
  const line = (sequence: number, keys: RecordText) =>
    `${sequence} ${Object.entries(keys)
      .map(([key, value]) => `${key} ${value};`)
      .join('')}`

  it('writes the record alternately to two places, and changes only the given keys', async () => {
    const host = await under()
    const set = (...words: string[]) => host.shell(`record_set ${words.join(' ')}; echo $?`).stdout
    expect(set('phase', 'writing', 'slot', 'b')).toBe('0\n')
    expect(host.record).toEqual({ phase: 'writing', slot: 'b' })
    set('phase', 'written')
    set('reason', '"two\nlines	and a tab"')
    expect(host.record).toEqual({ phase: 'written', slot: 'b', reason: 'two lines and a tab' })
    const identity = host.partition('identity')
    expect(RECORD_PLACES.map((place) => readRecord(identity.subarray(place - RECORD_PLACES[0]))?.sequence)).toEqual([
      3, 2,
    ])
    expect(identity.equals(Buffer.alloc(identity.length))).toBe(false)
    // Writing the record does not change the copies of the identity.
    expect(identity.subarray(0, RECORD_PLACES[0]).every((byte) => byte === 0)).toBe(true)
  })

  it('keeps the former record if a write is torn at any point', async () => {
    const host = await under()
    const [old, fresh] = [recordBlock(7, OLD), recordBlock(8, NEW)]
    const older = recordBlock(6, { ...OLD, phase: 'writing' })
    const whole = fresh.indexOf(0)
    const cuts = [...Array(whole + 1).keys()].filter((cut) => cut % 16 === 0 || cut > whole - 12)
    // A torn write overwrites the older of the two copies.
    const torn = cuts.map((cut) => Buffer.concat([fresh.subarray(0, cut), older.subarray(cut)]))
    const sectors = [512, 1024, 3584].map((cut) => Buffer.concat([older.subarray(0, cut), fresh.subarray(cut)]))
    const read = loads(
      host,
      [...torn, ...sectors].map((copy) => [old, copy]),
    )
    const [before, after] = [line(7, OLD), line(8, NEW)]
    expect(read.filter((each) => each !== before && each !== after)).toEqual([])
    expect(read.filter((each) => each === after).length).toBeLessThanOrEqual(2)
    expect(loads(host, [[old, fresh]])[0]).toBe(after)
    // Negative control: without the digest, torn copies are accepted.
    host.weaken('record', /^ {2}\[ "\$copy" = .*$/m, '  :')
    const weakened = loads(
      host,
      torn.map((copy) => [old, copy]),
    )
    expect(weakened.filter((each) => each !== before && each !== after).length).toBeGreaterThan(5)
  })

  it('never loads a record with changed content', async () => {
    const host = await under()
    const random = randomFrom(1, 1)
    const below = (count: number) => Math.floor(random() * count)
    const mutants = Array.from({ length: 60 }, () => {
      const block = recordBlock(8, NEW)
      const used = block.indexOf(0)
      for (let count = 1 + below(3); count > 0; count--) {
        const at = below(used)
        const kind = below(3)
        if (kind === 0) block[at] = below(256)
        else if (kind === 1) block.copy(block, at, at + 1 + below(40))
        else block.fill(0, at, at + below(40))
      }
      return block
    })
    const read = loads(
      host,
      mutants.map((copy) => [recordBlock(7, OLD), copy]),
    )
    expect(read).toHaveLength(60)
    // The script ignores added zeros, so the text stays the same.
    expect(read.filter((each) => each !== line(7, OLD) && each !== line(8, NEW))).toEqual([])
  })

  it('executes no value of a record, and refuses a sequence that is not a number', async () => {
    const host = await under({ ...OLD, reason: '$(touch x) `touch x`; touch x', slot: 'b" touch x' })
    expect(host.shell('record_get reason; record_get slot').stdout).toBe('$(touch x) `touch x`; touch x\nb" touch x\n')
    const odd = ['$(touch x)', 'x', '', '8 8'].map((each): [Buffer, Buffer] => [
      recordBlock(7, OLD),
      recordBlock(each as never, NEW),
    ])
    expect(loads(host, odd)).toEqual(odd.map(() => line(7, OLD)))
    expect(host.device.read('x')).toBe('')
  })

  it('truncates long values of the record, and fails if the disk cannot be written', async () => {
    const host = await under(OLD)
    const long = `record_set reason "${'x'.repeat(3000)}" phase reverted; echo $?`
    expect(host.shell(long).stdout).toBe('0\n')
    expect([host.record?.reason?.length, host.record?.phase]).toEqual([1500, 'reverted'])
    host.device.write('power', '0')
    expect(host.shell('record_set phase trial; echo $?').stdout).toBe('1\n')
    expect(host.record?.phase).toBe('reverted')
  })

  it('the record keeps the keys of simultaneous calls', async () => {
    const keys = ['id', 'kind', 'slot', 'seconds', 'data', 'commit']
    const host = await under({ phase: 'armed' })
    const together = keys.map((key) => `record_set ${key} 1 &`).join('\n')
    const kept = () => {
      host.remember({ phase: 'armed' })
      host.shell(`${together}\nwait`)
      return Object.keys(host.record ?? {}).sort()
    }
    expect(kept()).toEqual([...keys, 'phase'].sort())
    // Negative control: without the lock, calls lose each other's keys.
    host.weaken('record', /^ {2}if command -v flock .*$/m, '  :')
    expect(kept()).not.toEqual([...keys, 'phase'].sort())
  })

  it('a call leaves no temporary files of the record', async () => {
    const host = await under(OLD)
    host.call(['release', 'me@laptop:x'])
    expect(
      host
        .shell('ls "$RUN"')
        .stdout.split('\n')
        .filter((name) => name.startsWith('call.')),
    ).toHaveLength(1)
  })
})
