import { expect, it } from 'vitest'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { type AgentImage, agentImage } from '../../../helpers/agent-image.ts'
import { onPath } from '../../../helpers/fake-device.ts'

const IMAGE = agentImage('new')
/** The real sleep: the fake host's sleep returns immediately. */
const SLEEP = onPath('sleep')

/** An image whose manifest lists boot files that differ from its boot file system. */
function listing(change: (boot: Record<string, unknown>) => void): AgentImage {
  const boot = structuredClone(IMAGE.manifest.boot)
  change(boot)
  return agentImage('new', { manifest: { boot } })
}

const WRONG: readonly (readonly [string, AgentImage])[] = [
  ['a file that the manifest does not name', listing((boot) => delete boot['config.txt'])],
  ['a file that is missing', listing((boot) => Object.assign(boot, { 'more.txt': boot['config.txt'] }))],
  ['a file with other content', listing((boot) => Object.assign(boot, { 'config.txt': boot['kernel8.img'] }))],
  [
    'a command line with another root hash',
    agentImage('new', { manifest: { slot: { ...IMAGE.manifest.slot, root: agentImage('x').manifest.slot.root } } }),
  ],
  ['a manifest of another host', agentImage('new', { manifest: { host: 'starbuck' } })],
  ['a manifest of another format', agentImage('new', { manifest: { format: 2 as never } })],
]

describeAgent('a slot', (shell) => {
  const verify = (host: AgentHost) => host.shell('verify_slot b "$OWN/other" && echo "$VERIFIED_ROOT"').stdout.trim()

  it('verifies a slot if everything matches its own manifest', async () => {
    const host = await AgentHost.under(shell)
    expect(verify(host)).toBe('')
    host.hold('b', IMAGE)
    expect(verify(host)).toBe(IMAGE.root)
    for (const [what, image] of WRONG) {
      host.hold('b', image)
      expect(verify(host), what).toBe('')
    }
    host.hold('b', IMAGE)
    for (const [name, offset] of [
      ['slot-b', 0],
      ['slot-b', IMAGE.data.length + 8],
      ['boot-b', 300],
    ] as const) {
      host.hold('b', IMAGE)
      host.poke(name, offset, Buffer.from('\x01x'))
      expect(verify(host), `${name} ${offset}`).toBe('')
    }
  })

  it('only one call at a time mounts a slot', async () => {
    const host = await AgentHost.under(shell)
    host.hold('a', agentImage('old'))
    host.hold('b', IMAGE)
    // The second call begins while the first one still reads.
    const slowly = `slowly() { : >"$RUN/inside"; ${SLEEP} 0.4; cat "$MOUNTED/manifest.json" >"$RUN/found"; }`
    const both = `${slowly}
      with_boot a slowly &
      until [ -e "$RUN/inside" ]; do ${SLEEP} 0.02; done
      with_boot b true
      wait`
    const found = () => {
      host.device.write('run/found', '')
      const { calls } = host.shell(`rm -f "$RUN/inside"; ${both}`)
      const [order, text] = [
        calls.filter((call) => /^u?mount /.test(call)).map((call) => call.split(' ')[0]),
        host.device.read('run/found'),
      ]
      return { order, isItsOwn: text === agentImage('old').text }
    }
    const one = ['umount', 'mount', 'umount']
    expect(found()).toEqual({ order: [...one, ...one], isItsOwn: true })
    host.weaken('slot', /^ {2}flock 6$/m, '  :')
    expect(found().isItsOwn).toBe(false)
  })
})
