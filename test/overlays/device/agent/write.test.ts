import { expect, it } from 'vitest'
import { AgentHost, type Called, describeAgent } from '../../../helpers/agent-host.ts'
import { agentImage, recordsOf } from '../../../helpers/agent-image.ts'
import { allButFinished, OWNER, STEPS, type Step, send } from '../../../helpers/agent-update.ts'
import { zstdCompressSync } from '../../../helpers/zstd.ts'

const IMAGE = agentImage('new')
/** An image with the same slot, but another kernel in the boot file system. */
const OTHER_BOOT = agentImage('other kernel', { seed: 'new' })

/** The writes of a call, in their order. */
const writes = ({ calls }: Called) =>
  calls
    .filter((call) => /^dd .*of=|^blocks write/.test(call))
    .map((call) => /(boot-[ab]|slot-[ab]|identity|selector)/.exec(call)?.[0])

describeAgent('a write', (shell) => {
  const under = () => AgentHost.under(shell)
  const finish = (host: AgentHost) => send(host, IMAGE, 'finish')

  it('writes a generation to the inactive slot, which cannot boot before the write ends', async () => {
    const host = await under()
    host.hold('b', agentImage('old'))
    const running = host.partition('slot-a')
    const answers = STEPS.map((step): [Step, Called] => {
      if (step !== 'finish') host.device.write('run/identity/trust/serial', '0 0\n')
      const called = send(host, IMAGE, step)
      expect(host.isBootable('b'), step).toBe(step === 'finish')
      return [step, called]
    })
    const { begin, tree, slot, list, boot, finish: end } = Object.fromEntries(answers) as Record<Step, Called>
    expect(begin.answer).toEqual({ slot: 'b', state: 'begun' })
    expect(tree.answer).toEqual({ ok: true })
    expect(slot.answer).toEqual({ ok: true, blocks: 40 })
    expect(list.stdout).toMatch(/^(\d+ \d+\n)+end\n$/)
    expect(boot.answer).toEqual({ ok: true, blocks: IMAGE.boot.length / 4096 - 1 })
    expect(end.answer).toEqual({ ok: true, slot: 'b', root: IMAGE.root })
    expect(host.partition('slot-b').subarray(0, IMAGE.slot.length).equals(IMAGE.slot)).toBe(true)
    expect(host.partition('boot-b').equals(IMAGE.boot)).toBe(true)
    expect(host.record).toMatchObject({ phase: 'written', slot: 'b', root: IMAGE.root, serial: '1795000000 1' })
    // The write changed neither the running slot nor the selector.
    expect(answers.flatMap(([, called]) => writes(called))).not.toContain('boot-a')
    expect([host.partition('slot-a').equals(running), host.selected, host.armed]).toEqual([true, 'a', '0'])
    // The agent makes the slot unbootable first, and writes its first sector last.
    expect(writes(begin)).toEqual(['boot-b', 'identity'])
    expect(end.calls.filter((call) => call.includes('of='))).toEqual([
      expect.stringMatching(/boot-b bs=512 skip=1 seek=1 count=7/),
      expect.stringMatching(/boot-b bs=512 count=1/),
      expect.stringContaining('identity'),
    ])
  })

  it('a write lists and accepts only blocks inside the slot', async () => {
    const host = await under()
    allButFinished(host, IMAGE)
    host.poke('slot-b', 3 * 4096, Buffer.alloc(2 * 4096, 1))
    expect(host.call(['write', 'missing', OWNER, 'slot']).stdout).toBe('3 2\nend\n')
    const sent = zstdCompressSync(recordsOf(IMAGE.data, 3, 2))
    expect(host.call(['write', 'blocks', OWNER, 'slot'], sent).answer).toEqual({ ok: true, blocks: 2 })
    expect(host.call(['write', 'missing', OWNER, 'slot']).stdout).toBe('end\n')
    // `write finish` writes block 0 of the boot file system.
    const first = zstdCompressSync(recordsOf(IMAGE.boot, 0, 1))
    expect(host.call(['write', 'blocks', OWNER, 'boot'], first).error).toBe('stream')
    expect(host.isBootable('b')).toBe(false)
  })

  it('a write refuses a tree that was not signed, and damaged or incomplete streams', async () => {
    const host = await under()
    allButFinished(host, IMAGE)
    host.poke('slot-b', IMAGE.data.length, Buffer.alloc(4096))
    expect(host.call(['write', 'missing', OWNER, 'slot'])).toMatchObject({ error: 'tree', code: 1 })
    expect(host.call(['write', 'missing', OWNER, 'boot'], `768 ${IMAGE.bootRoot}\nhalf a tree`).error).toBe('tree')
    const whole = zstdCompressSync(recordsOf(IMAGE.data))
    for (const input of ['', 'no zstd', whole.subarray(0, whole.length / 2)])
      expect(host.call(['write', 'blocks', OWNER, 'slot'], input)).toMatchObject({ error: 'stream', code: 1 })
    host.device.write('power', '0')
    expect(host.call(['write', 'blocks', OWNER, 'slot'], whole).error).toBe('disk')
    expect(host.call(['write', 'tree', OWNER], IMAGE.tree).error).toBe('disk')
  })

  it('a write requires a `write begin` since the last boot', async () => {
    const host = await under()
    for (const words of [['tree'], ['missing', 'slot'], ['missing', 'boot'], ['blocks', 'slot'], ['finish']]) {
      const [verb = '', ...part] = words
      expect(host.call(['write', verb, OWNER, ...part])).toMatchObject({ error: 'state', code: 1 })
    }
    expect(host.call(['write', 'other', OWNER]).error).toBe('usage')
    expect(host.call(['write']).error).toBe('usage')
  })

  it('a write refuses blocks for a slot that can boot', async () => {
    const host = await under()
    allButFinished(host, IMAGE)
    expect(finish(host).answer).toMatchObject({ ok: true })
    const late = zstdCompressSync(recordsOf(Buffer.alloc(4096)))
    const write = () => host.call(['write', 'blocks', OWNER, 'slot'], late)
    expect(write().error).toBe('state')
    expect(finish(host).error).toBe('state')
    expect(host.partition('slot-b').subarray(0, 4096).equals(IMAGE.slot.subarray(0, 4096))).toBe(true)
    // Negative control: without the check, the agent writes the block.
    host.weaken('write', /^ {2}! has_boot_sector "\$OTHER" \|\|.*$/m, '  :')
    expect(write().answer).toEqual({ ok: true, blocks: 1 })
  })
})

describeAgent('write finish', (shell) => {
  const begun = async (image = IMAGE) => {
    const host = await AgentHost.under(shell)
    allButFinished(host, image)
    return host
  }

  it.each([
    ['of the slot', 'slot-b', 5 * 4096],
    ["of the slot's tree", 'slot-b', IMAGE.data.length + 8],
    ['of a boot file', 'boot-b', IMAGE.boot.indexOf('kernel of new') + 4096],
    ['outside of all files', 'boot-b', IMAGE.boot.length - 4096],
  ])('write finish refuses a changed byte %s', async (_where, name, offset) => {
    const host = await begun()
    host.poke(name, offset, Buffer.from('x'))
    expect(send(host, IMAGE, 'finish')).toMatchObject({ error: 'incomplete', code: 1 })
    expect([host.isBootable('b'), host.record?.phase]).toEqual([false, 'writing'])
  })

  it('write finish refuses a complete boot file system that was not signed', async () => {
    const host = await begun()
    const sent = OTHER_BOOT.boot
    host.poke('boot-b', 4096, sent.subarray(4096))
    host.device.write('run/update/boot.tree', OTHER_BOOT.bootTree)
    host.device.write('run/update/boot.size', `${sent.length / 4096} ${OTHER_BOOT.bootRoot}\n`)
    expect(send(host, OTHER_BOOT, 'finish')).toMatchObject({ error: 'incomplete', code: 1 })
    expect(host.isBootable('b')).toBe(false)
    host.weaken('slot', /^boot_files_match\(\) \{\n[\s\S]*?^\}$/m, 'boot_files_match() { :; }')
    expect(send(host, OTHER_BOOT, 'finish').answer).toMatchObject({ ok: true })
  })

  it('leaves the slot unbootable if the first block is incomplete or does not read back correctly', async () => {
    const host = await begun()
    host.know(IMAGE)
    const short = () => host.call(['write', 'finish', OWNER], IMAGE.boot.subarray(0, 512))
    expect([short().error, host.isBootable('b')]).toEqual(['stream', false])
    host.weaken('write', /^ {2}\[ "\$\(wc -c <"\$WORK\/boot.first"\)" -eq 4096 \].*$/m, '  :')
    expect([short().error, host.isBootable('b')]).toEqual(['disk', false])
    host.weaken('write', /(if ! make_bootable.*\n) *make_unbootable "\$OTHER"/, '$1')
    expect([short().error, host.isBootable('b')]).toEqual(['disk', true])
  })

  it('writes the first sector last, so that a slot that can boot is complete after any power cut', async () => {
    const cutAt = async (writes: number, weakened?: (host: AgentHost) => unknown) => {
      const host = await begun()
      weakened?.(host)
      host.device.write('power', `${writes}`)
      send(host, IMAGE, 'finish')
      return [host.isBootable('b'), host.partition('boot-b').equals(IMAGE.boot)]
    }
    expect(await cutAt(0)).toEqual([false, false])
    expect(await cutAt(1)).toEqual([false, false])
    expect(await cutAt(2)).toEqual([true, true])
    const swapped = (host: AgentHost) => host.weaken('slot', /^( {2}dd if="\$2".*\n)( {2}dd if="\$2".*\n)/m, '$2$1')
    expect(await cutAt(1, swapped)).toEqual([true, false])
  })
})
