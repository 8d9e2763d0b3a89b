import { expect, it } from 'vitest'
import { formatAutoboot, planSelector } from '../../../../images/disk/selector.ts'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { randomFrom } from '../../../power-cut/random.ts'

const AT = planSelector().sector * 512

describeAgent('the selector', (shell) => {
  const under = () => AgentHost.under(shell)
  const judge = (host: AgentHost) => host.shell('selector_slot').stdout.trim()

  it('a single write of its sector changes the selector', async () => {
    const host = await under()
    for (const slot of ['b', 'b', 'a'] as const) {
      const before = host.partition('selector')
      const { stdout, calls } = host.shell(`selector_write ${slot} && selector_slot`)
      expect(stdout).toBe(`${slot}\n`)
      const written = calls.filter((call) => call.includes('of='))
      expect(written).toEqual([expect.stringContaining(`seek=${AT / 512} count=1 conv=notrunc,fsync oflag=direct`)])
      const after = host.partition('selector')
      before.set(formatAutoboot(slot), AT)
      expect(after.equals(before)).toBe(true)
    }
  })

  it('repairs the file system of the selector before it writes the sector', async () => {
    const host = await under()
    host.poke('selector', 0, Buffer.alloc(8192))
    expect(judge(host)).toBe('damaged')
    host.device.write('power', '1')
    expect(host.shell('selector_write b && echo done').stdout).toBe('')
    expect(judge(host)).toBe('a')
    host.device.write('power', '9')
    expect(host.shell('selector_write b && echo done').stdout).toBe('done\n')
    expect(judge(host)).toBe('b')
  })

  it('reads the selector back after a write', async () => {
    const host = await under()
    // This fake disk reports success without writing.
    host.device.fake('dd', ':')
    expect(host.shell('selector_write b || echo no').stdout).toBe('no\n')
    host.weaken('selector', /^ {2}selector_is "\$1"$/m, '  :')
    expect(host.shell('selector_write b || echo no').stdout).toBe('')
    expect(judge(host)).toBe('a')
  })

  it('the selector names a slot only if every byte is right', async () => {
    const host = await under()
    const random = randomFrom(2, 1)
    const below = (count: number) => Math.floor(random() * count)
    const good = [formatAutoboot('a'), formatAutoboot('b')].map((bytes) => Buffer.from(bytes))
    const texts = [
      ...['', '[all]\nboot_partition=2\n', '[all]\r\ntryboot_a_b=1\n', '$(touch x)', '\0'.repeat(512)],
      ...good.map((bytes) => bytes.toString().trimEnd()),
      ...good.map((bytes) => bytes.toString().toUpperCase()),
    ].map((text) => Buffer.concat([Buffer.from(text), Buffer.alloc(512)]).subarray(0, 512))
    const mutants = Array.from({ length: 60 }, (_, index) => {
      const bytes = Buffer.from(good[index % 2] as Buffer)
      for (let count = 1 + below(3); count > 0; count--) {
        const at = below(512)
        bytes[at] = (bytes[at] as number) ^ (1 << below(8))
      }
      return bytes
    })
    const torn = [1, 40, 43, 44, 100, 511].map((cut) =>
      Buffer.concat([good[0]?.subarray(0, cut) ?? [], good[1]?.subarray(cut) ?? []] as Buffer[]),
    )
    const wanted = (bytes: Buffer) => (['a', 'b'] as const).find((_, index) => good[index]?.equals(bytes)) ?? 'damaged'
    const all = [...texts, ...mutants, ...torn, ...good]
    for (const [index, bytes] of all.entries()) host.device.write(`sectors/${String(index).padStart(3, '0')}`, bytes)
    const put = `for each in ${host.device.path('sectors')}/*; do
      cat "$each" | ${'"$FAKE_ROOT/bin/dd"'} of="$SELECTOR" bs=512 seek=${AT / 512} conv=notrunc 2>/dev/null
      selector_slot
    done`
    host.device.write('power', '9999')
    expect(host.shell(put).stdout.trim().split('\n')).toEqual(all.map(wanted))
    expect(host.device.read('x')).toBe('')
  })

  it('the selector counts as damaged if a byte of its file system differs', async () => {
    const host = await under()
    for (const offset of [0, 11, 510, 4096 + 3]) {
      host.select('a')
      host.poke('selector', offset, Buffer.from('x'))
      expect(judge(host), `${offset}`).toBe('damaged')
    }
  })
})
