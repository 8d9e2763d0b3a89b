import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AgentHost, describeAgent, type HostOptions, SIZES } from '../../../helpers/agent-host.ts'
import { type AgentImage, agentImage, STRANGER } from '../../../helpers/agent-image.ts'
import { allButFinished, begin } from '../../../helpers/agent-update.ts'
import { SIGNING_LINE, updateImage } from '../../../helpers/update-image.ts'

const IMAGE = agentImage('new')
const OLD = agentImage('old')
const FOREIGN = { host: 'starbuck' }
const size = { ...updateImage({ name: 'new', dataBlocks: 40 }).manifest.slot, size: SIZES.slot + 4096 }
const without = ({ manifest: { slot: _slot, ...rest } }: AgentImage) => ({ ...rest, slot: undefined as never })

interface Refusal {
  readonly image?: AgentImage
  readonly options?: HostOptions
  readonly prepare?: (host: AgentHost) => void
  readonly says: RegExp
}

const TRUST = 'run/identity/trust'
const EEPROM = 'proc/device-tree/chosen/bootloader/build-timestamp'

const REFUSALS: readonly (readonly [string, string, Refusal])[] = [
  [
    'a signature by a key that is not trusted',
    'signature',
    { image: agentImage('new', { key: STRANGER }), says: /1 trusted/ },
  ],
  [
    'a signature by a revoked key with another comment',
    'signature',
    { prepare: ({ device }) => device.write(`${TRUST}/revoked`, `${SIGNING_LINE} once\n`), says: /0 trusted/ },
  ],
  [
    'a signature when the list of revoked keys is missing',
    'signature',
    { prepare: ({ device }) => rmSync(device.path(`${TRUST}/revoked`)), says: /not signed/ },
  ],
  ['a signature of another text', 'signature', { image: { ...IMAGE, text: `${IMAGE.text} ` }, says: /not signed/ }],
  ['an empty signature', 'signature', { image: { ...IMAGE, signature: '' }, says: /not signed/ }],
  [
    "another host's image",
    'foreign',
    { image: agentImage('x', { manifest: FOREIGN }), says: /for host 'starbuck', but this is host 'adama'/ },
  ],
  ["another board's image", 'foreign', { image: agentImage('x', { manifest: { board: 'pc' } }), says: /board 'pc'/ }],
  [
    'an image for another layout',
    'layout',
    { image: agentImage('x', { manifest: { layout: 2 } }), says: /for layout '2', but this is layout '1'/ },
  ],
  [
    'a manifest that lacks a key',
    'usage',
    { image: agentImage('x', { manifest: without(IMAGE) }), says: /cannot read its format/ },
  ],
  [
    'a smaller serial',
    'downgrade',
    {
      prepare: ({ device }) => device.write(`${TRUST}/serial`, '1795000000 2\n'),
      says: /1795000000 1, .* 1795000000 2/,
    },
  ],
  [
    'any serial when the committed one is unknown',
    'downgrade',
    { prepare: ({ device }) => rmSync(device.path(`${TRUST}/serial`)), says: /committed an unknown serial/ },
  ],
  [
    'an image larger than a slot',
    'size',
    { image: agentImage('x', { manifest: { slot: size } }), says: /1052672 .* 1048576/ },
  ],
  [
    'any image when the EEPROM is too old',
    'firmware',
    { prepare: ({ device }) => device.write(EEPROM, Buffer.from('69000000', 'hex')), says: /2025-10-27/ },
  ],
  [
    'any image when the age of the EEPROM is unknown',
    'firmware',
    { prepare: ({ device }) => rmSync(device.path(EEPROM)), says: /1970-01-01/ },
  ],
  ['any image during a trial', 'busy', { options: { tryboot: 1 }, says: /trial/ }],
  ['any image in a fallback boot', 'state', { options: { selector: 'b' }, says: /boots 'b'/ }],
  ['any image when the selector is damaged', 'state', { options: { selector: 'damaged' }, says: /boots 'damaged'/ }],
]

describeAgent('before the first byte is written, the host', (shell) => {
  it.each(REFUSALS)('the host refuses %s', async (_what, code, { image = IMAGE, options, prepare, says }) => {
    const host = await AgentHost.under(shell, options)
    host.hold('b', OLD)
    prepare?.(host)
    const { error, message, calls, answer } = begin(host, image)
    expect([error, message]).toEqual([code, expect.stringMatching(says)])
    expect((answer.error as { hint: string }).hint).not.toBe('')
    expect(calls.filter((call) => /of=|^blocks/.test(call))).toEqual([])
    expect([host.isBootable('b'), host.record]).toEqual([true, undefined])
  })
})

describeAgent('write begin', (shell) => {
  it('write begin refuses sizes of the manifest and signature that are not numbers or too large', async () => {
    const host = await AgentHost.under(shell)
    const sizes = [[], ['1'], ['x', '1'], ['1048577', '1'], ['1', '8193'], ['-1', '1'], ['1;id', '1'], ['010', '1']]
    for (const given of sizes)
      expect(host.call(['write', 'begin', 'me@laptop:x', ...given], 'xx').error, `${given}`).toBe('usage')
  })

  it('accepts the committed serial, and an older serial only with --allow-downgrade', async () => {
    const host = await AgentHost.under(shell)
    host.device.write(`${TRUST}/serial`, '1795000000 1\n')
    expect(begin(host, IMAGE).answer).toMatchObject({ state: 'begun' })
    host.device.write(`${TRUST}/serial`, '1795000001 0\n')
    expect(begin(host, IMAGE).error).toBe('downgrade')
    expect(begin(host, IMAGE, '--allow-downgrade').answer).toMatchObject({ state: 'begun' })
  })

  it('write begin accepts an untrusted signature without its check (negative control)', async () => {
    const host = await AgentHost.under(shell)
    host.weaken('write', /^ {2}verify_signature [\s\S]*?\n {4}fail signature .*$/m, '  :')
    expect(begin(host, agentImage('new', { key: STRANGER })).answer).toEqual({ slot: 'b', state: 'begun' })
  })

  it('write begin answers "written" if the slot already holds the same generation, and does not change it', async () => {
    const host = await AgentHost.under(shell)
    allButFinished(host, IMAGE)
    host.hold('b', IMAGE)
    host.remember({ phase: 'written', slot: 'b', root: IMAGE.root })
    expect(begin(host, IMAGE).answer).toEqual({ slot: 'b', state: 'written' })
    expect(host.isBootable('b')).toBe(true)
    // One different byte, or other boot files for the same slot: the slot is written again.
    const otherKernel = agentImage('other kernel', { seed: 'new' })
    expect(begin(host, otherKernel).answer).toEqual({ slot: 'b', state: 'begun' })
    host.hold('b', IMAGE)
    host.remember({ phase: 'written', slot: 'b', root: IMAGE.root })
    host.poke('slot-b', 9000, Buffer.from('x'))
    expect(begin(host, IMAGE).answer).toEqual({ slot: 'b', state: 'begun' })
  })

  it('write begin clears a trial flag that was set by hand', async () => {
    const host = await AgentHost.under(shell)
    host.device.write('sys/module/hangar_tryboot/parameters/armed', '1\n')
    expect([begin(host, IMAGE).answer.state, host.armed]).toEqual(['begun', '0'])
  })

  it('write begin clears the flag of an armed trial before it makes the slot unbootable', async () => {
    const armed = async () => {
      const host = await AgentHost.under(shell, {
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
    const weakened = (await armed()).weaken('write', /^ {2}disarm$/m, '  :')
    begin(weakened, IMAGE)
    expect([weakened.isBootable('b'), weakened.armed]).toEqual([false, '1'])
  })

  it('write begin stops if it cannot make the slot unbootable', async () => {
    const host = await AgentHost.under(shell)
    host.hold('b', OLD)
    host.device.write('power', '0')
    expect([begin(host, IMAGE).error, host.isBootable('b'), host.record]).toEqual(['disk', true, undefined])
    host.device.write('power', '1')
    expect([begin(host, IMAGE).error, host.isBootable('b'), host.record]).toEqual(['disk', false, undefined])
  })
})
