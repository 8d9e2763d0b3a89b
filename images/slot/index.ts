import { UserError } from '../../errors.ts'
import { BLOCK } from '../layout.ts'

/** Where a layer lies in its slot, in blocks of 4096 bytes from the slot's start. */
export interface Placed {
  readonly name: string
  readonly first: number
  readonly blocks: number
}

const FORMAT = 'hangar-slot 1'

/** Layers end to end after the one block of the index. `sizes` are bytes, whole blocks. */
export function placeLayers(layers: readonly { readonly name: string; readonly size: number }[]): Placed[] {
  let next = 1
  return layers.map(({ name, size }) => {
    if (size % BLOCK !== 0) throw new Error(`layer '${name}' has ${size} bytes, wanted whole blocks of ${BLOCK}`)
    const placed = { name, first: next, blocks: size / BLOCK }
    next += placed.blocks
    return placed
  })
}

/** The slot's first block: text that a shell reads line by line, filled up with zeros. */
export function formatIndex(layers: readonly Placed[]): Uint8Array {
  const text = [FORMAT, ...layers.map(({ name, first, blocks }) => `${name} ${first} ${blocks}`), 'end', ''].join('\n')
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > BLOCK)
    throw new UserError(
      'size',
      `the slot's index takes ${bytes.length} bytes, it has ${BLOCK}: too many layers (${layers.length})`,
    )
  const block = new Uint8Array(BLOCK)
  block.set(bytes)
  return block
}

export function parseIndex(block: Uint8Array): Placed[] {
  const [format, ...lines] = new TextDecoder().decode(block.subarray(0, BLOCK)).split('\n')
  if (format !== FORMAT) {
    throw new UserError('format', `slot index begins with '${format?.slice(0, 40)}', this hangar reads '${FORMAT}'`, {
      hint: 'build the image again, or use the hangar that wrote it',
    })
  }
  const end = lines.indexOf('end')
  if (end === -1)
    throw new UserError('format', "slot index has no line 'end'", { hint: 'the slot is damaged: write it again' })
  return lines.slice(0, end).map(parseLine)
}

function parseLine(line: string): Placed {
  const [, name = '', first = '', blocks = ''] = /^([a-z][a-z0-9-]*) (\d+) (\d+)$/.exec(line) ?? []
  if (name === '') throw new UserError('format', `slot index has the line '${line}', wanted NAME FIRST BLOCKS`)
  return { name, first: Number(first), blocks: Number(blocks) }
}
