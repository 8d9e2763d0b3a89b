import type { AgentHost, Called } from './agent-host.ts'
import { type AgentImage, recordsOf } from './agent-image.ts'
import { zstdCompressSync } from './zstd.ts'

export const OWNER = 'me@laptop:/home/me/hangar'

export function begin(host: AgentHost, { text, signature }: AgentImage, ...flags: string[]): Called {
  const sizes = [text, signature].map((part) => String(Buffer.byteLength(part)))
  return host.call(['write', 'begin', OWNER, ...sizes, ...flags], text + signature)
}

export const STEPS = ['begin', 'tree', 'slot', 'list', 'boot', 'finish'] as const
export type Step = (typeof STEPS)[number]

/** The calls of a controller that sends all blocks. */
export function send(host: AgentHost, image: AgentImage, step: Step): Called {
  const write = (command: string, input: string | Uint8Array, ...more: string[]) =>
    host.call(['write', command, OWNER, ...more], input)
  switch (step) {
    case 'begin':
      return begin(host, image)
    case 'tree':
      return write('tree', image.tree)
    case 'slot':
      return write('blocks', zstdCompressSync(recordsOf(image.data)), 'slot')
    case 'list':
      return write('missing', bootList(image), 'boot')
    case 'boot':
      return write('blocks', zstdCompressSync(recordsOf(image.boot, 1)), 'boot')
    case 'finish':
      host.know(image)
      return write('finish', image.boot.subarray(0, 4096))
  }
}

/** Runs all steps up to and including `last`. */
export function sendUpTo(host: AgentHost, image: AgentImage, last: Step): Called {
  const steps = STEPS.slice(0, STEPS.indexOf(last) + 1)
  return steps.map((step) => send(host, image, step)).at(-1) as Called
}

export function arm(
  host: AgentHost,
  root: string,
  { id = 'one', commit = 'controller', seconds = '300' } = {},
): Called {
  const trial = ['--data', 'snapshot', '--commit', commit, '--seconds', seconds]
  return host.call(['arm', OWNER, id, root, ...trial])
}

export function bootList({ boot, bootRoot, bootTree }: AgentImage): Buffer {
  return Buffer.concat([Buffer.from(`${boot.length / 4096} ${bootRoot}\n`), bootTree])
}

/** Sets the state before the last step: only the first block is missing. */
export function allButFinished(host: AgentHost, image: AgentImage): void {
  host.hold('b', image)
  host.poke('boot-b', 0, Buffer.alloc(4096))
  host.remember({ phase: 'writing', kind: 'update', id: '-', slot: 'b', root: image.root, serial: '1795000000 1' })
  const files = { begun: '', 'manifest.json': image.text, 'manifest.json.sig': image.signature }
  const list = { 'boot.tree': image.bootTree, 'boot.size': `${image.boot.length / 4096} ${image.bootRoot}\n` }
  for (const [name, bytes] of Object.entries({ ...files, ...list })) host.device.write(`run/update/${name}`, bytes)
}
