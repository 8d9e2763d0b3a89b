import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type AgentImage, agentImage, STRANGER } from '../../../helpers/agent-image.ts'
import { allButFinished, begin } from '../../../helpers/agent-update.ts'
import { describeAgent, type HostOptions, PretendHost, SIZES } from '../../../helpers/pretend-agent.ts'
import { SIGNING_LINE, updateImage } from '../../../helpers/update-image.ts'

const IMAGE = agentImage('new')
const OLD = agentImage('old')
const FOREIGN = { host: 'starbuck' }
const size = { ...updateImage({ name: 'new', dataBlocks: 40 }).manifest.slot, size: SIZES.slot + 4096 }
const without = ({ manifest: { slot: _slot, ...rest } }: AgentImage) => ({ ...rest, slot: undefined as never })

interface Refusal {
  readonly image?: AgentImage
  readonly options?: HostOptions
  readonly prepare?: (host: PretendHost) => void
  readonly says: RegExp
}

const TRUST = 'run/identity/trust'
const EEPROM = 'proc/device-tree/chosen/bootloader/build-timestamp'

const REFUSALS: readonly (readonly [string, string, Refusal])[] = [
  [
    'a signature of a key that nobody trusts',
    'signature',
    { image: agentImage('new', { key: STRANGER }), says: /1 trusted/ },
  ],
  [
    'a signature of a key that was revoked, under another remark',
    'signature',
    { prepare: ({ device }) => device.write(`${TRUST}/revoked`, `${SIGNING_LINE} once\n`), says: /0 trusted/ },
  ],
  [
    'a signature where it is not known which keys were revoked',
    'signature',
    { prepare: ({ device }) => rmSync(device.path(`${TRUST}/revoked`)), says: /not signed/ },
  ],
  ['a signature of another text', 'signature', { image: { ...IMAGE, text: `${IMAGE.text} ` }, says: /not signed/ }],
  ['a signature that is none', 'signature', { image: { ...IMAGE, signature: '' }, says: /not signed/ }],
  [
    "another host's image",
    'foreign',
    { image: agentImage('x', { manifest: FOREIGN }), says: /host 'starbuck', this is 'adama'/ },
  ],
  ["another board's image", 'foreign', { image: agentImage('x', { manifest: { board: 'pc' } }), says: /board 'pc'/ }],
  [
    'an image for another layout',
    'layout',
    { image: agentImage('x', { manifest: { layout: 2 } }), says: /layout '2', this is '1'/ },
  ],
  [
    'a manifest of another form',
    'usage',
    { image: agentImage('x', { manifest: without(IMAGE) }), says: /not of a form/ },
  ],
  [
    'a serial that is smaller',
    'downgrade',
    {
      prepare: ({ device }) => device.write(`${TRUST}/serial`, '1795000000 2\n'),
      says: /1795000000 1, .* 1795000000 2/,
    },
  ],
  [
    'a serial where it is not known what was committed',
    'downgrade',
    { prepare: ({ device }) => rmSync(device.path(`${TRUST}/serial`)), says: /committed what nobody knows/ },
  ],
  [
    'an image that is larger than a slot',
    'size',
    { image: agentImage('x', { manifest: { slot: size } }), says: /1052672 .* 1048576/ },
  ],
  [
    'anything where the EEPROM is too old',
    'firmware',
    { prepare: ({ device }) => device.write(EEPROM, Buffer.from('69000000', 'hex')), says: /2025-10-27/ },
  ],
  [
    'anything where nobody knows how old the EEPROM is',
    'firmware',
    { prepare: ({ device }) => rmSync(device.path(EEPROM)), says: /1970-01-01/ },
  ],
  ['anything while a trial is not decided', 'busy', { options: { tryboot: 1 }, says: /trial/ }],
  ['anything where the other slot is what boots', 'state', { options: { selector: 'b' }, says: /boots 'b'/ }],
  ['anything where the selector is damaged', 'state', { options: { selector: 'damaged' }, says: /boots 'damaged'/ }],
]

describeAgent('a write is refused before a byte is written:', (shell) => {
  it.each(REFUSALS)('%s', async (_what, code, { image = IMAGE, options, prepare, says }) => {
    const host = await PretendHost.under(shell, options)
    host.hold('b', OLD)
    prepare?.(host)
    const { error, message, calls, answer } = begin(host, image)
    expect([error, message]).toEqual([code, expect.stringMatching(says)])
    expect((answer.error as { hint: string }).hint).not.toBe('')
    expect(calls.filter((call) => /of=|^blocks/.test(call))).toEqual([])
    expect([host.isBootable('b'), host.record]).toEqual([true, undefined])
  })
})

describeAgent('what begins a write', (shell) => {
  it('takes the sizes of manifest and signature only as numbers, and none that are too large', async () => {
    const host = await PretendHost.under(shell)
    const sizes = [[], ['1'], ['x', '1'], ['1048577', '1'], ['1', '8193'], ['-1', '1'], ['1;id', '1'], ['010', '1']]
    for (const given of sizes)
      expect(host.call(['write', 'begin', 'me@laptop:x', ...given], 'xx').error, `${given}`).toBe('usage')
  })

  it('takes an older image where that is asked for, and anything from the floor on', async () => {
    const host = await PretendHost.under(shell)
    host.device.write(`${TRUST}/serial`, '1795000000 1\n')
    expect(begin(host, IMAGE).answer).toMatchObject({ state: 'begun' })
    host.device.write(`${TRUST}/serial`, '1795000001 0\n')
    expect(begin(host, IMAGE).error).toBe('downgrade')
    expect(begin(host, IMAGE, '--allow-downgrade').answer).toMatchObject({ state: 'begun' })
  })

  it('would take what nobody signed if it did not look', async () => {
    const host = await PretendHost.under(shell)
    host.careless('write', /^ {2}verify_signature [\s\S]*?\n {4}fail signature .*$/m, '  :')
    expect(begin(host, agentImage('new', { key: STRANGER })).answer).toEqual({ slot: 'b', state: 'begun' })
  })

  it('answers that this very generation is whole there, and leaves it as it is', async () => {
    const host = await PretendHost.under(shell)
    allButFinished(host, IMAGE)
    host.hold('b', IMAGE)
    host.remember({ phase: 'written', slot: 'b', root: IMAGE.root })
    expect(begin(host, IMAGE).answer).toEqual({ slot: 'b', state: 'written' })
    expect(host.isBootable('b')).toBe(true)
    // A byte that is another, or other boot files for the same slot, and it is written anew.
    const otherKernel = agentImage('other kernel', { seed: 'new' })
    expect(begin(host, otherKernel).answer).toEqual({ slot: 'b', state: 'begun' })
    host.hold('b', IMAGE)
    host.remember({ phase: 'written', slot: 'b', root: IMAGE.root })
    host.poke('slot-b', 9000, Buffer.from('x'))
    expect(begin(host, IMAGE).answer).toEqual({ slot: 'b', state: 'begun' })
  })

  it('takes back a flag that somebody set by hand', async () => {
    const host = await PretendHost.under(shell)
    host.device.write('sys/module/hangar_tryboot/parameters/armed', '1\n')
    expect([begin(host, IMAGE).answer.state, host.armed]).toEqual(['begun', '0'])
  })

  it('takes back a trial that was armed, before it makes its slot unbootable', async () => {
    const armed = async () => {
      const host = await PretendHost.under(shell, {
        record: { phase: 'armed', kind: 'update', slot: 'b', root: OLD.root },
      })
      host.hold('b', OLD)
      host.device.write('sys/module/hangar_tryboot/parameters/armed', '1\n')
      return host
    }
    const host = await armed()
    expect([begin(host, IMAGE).answer.state, host.armed]).toEqual(['begun', '0'])
    const refusing = await armed()
    rmSync(refusing.device.path('sys/module/hangar_tryboot'), { recursive: true })
    expect([begin(refusing, IMAGE).error, refusing.isBootable('b')]).toEqual(['firmware', true])
    const careless = (await armed()).careless('write', /^ {2}disarm$/m, '  :')
    begin(careless, IMAGE)
    expect([careless.isBootable('b'), careless.armed]).toEqual([false, '1'])
  })

  it('goes no further where the slot cannot be made unbootable', async () => {
    const host = await PretendHost.under(shell)
    host.hold('b', OLD)
    host.device.write('power', '0')
    expect([begin(host, IMAGE).error, host.isBootable('b'), host.record]).toEqual(['disk', true, undefined])
    host.device.write('power', '1')
    expect([begin(host, IMAGE).error, host.isBootable('b'), host.record]).toEqual(['disk', false, undefined])
  })
})
