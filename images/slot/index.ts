import { UserError } from '../../errors.ts'
import { BLOCK } from '../layout.ts'

/** Position of a layer in its slot, in blocks of 4096 bytes from the start of the slot. */
export interface Placed {
  readonly name: string
  readonly first: number
  readonly blocks: number
}

const FORMAT = 'hangar-slot 1'

/** Places layers end to end after the index, which has one block. Sizes are in bytes and must be whole blocks. */
export function placeLayers(layers: readonly { readonly name: string; readonly size: number }[]): Placed[] {
  let next = 1
  return layers.map(({ name, size }) => {
    if (size % BLOCK !== 0) throw new Error(`layer '${name}' has ${size} bytes, expected a multiple of ${BLOCK}`)
    const placed = { name, first: next, blocks: size / BLOCK }
    next += placed.blocks
    return placed
  })
}

/** The first block of the slot: text that a shell reads line by line, padded with zeros. */
export function formatIndex(layers: readonly Placed[]): Uint8Array {
  const text = [FORMAT, ...layers.map(({ name, first, blocks }) => `${name} ${first} ${blocks}`), 'end', ''].join('\n')
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > BLOCK)
    throw new UserError(
      'size',
      `the image has too many layers (${layers.length}): the slot's index needs ${bytes.length} bytes, but has ${BLOCK}`,
    )
  const block = new Uint8Array(BLOCK)
  block.set(bytes)
  return block
}

export function parseIndex(block: Uint8Array): Placed[] {
  const [format, ...lines] = new TextDecoder().decode(block.subarray(0, BLOCK)).split('\n')
  if (format !== FORMAT) {
    throw new UserError('format', `the slot's index begins with '${format?.slice(0, 40)}', expected '${FORMAT}'`, {
      hint: 'build the image again, or use the version of hangar that wrote it',
    })
  }
  const end = lines.indexOf('end')
  if (end === -1)
    throw new UserError('format', "the slot's index has no line 'end'", { hint: 'the slot is damaged: write it again' })
  return lines.slice(0, end).map(parseLine)
}

function parseLine(line: string): Placed {
  const [, name = '', first = '', blocks = ''] = /^([a-z][a-z0-9-]*) (\d+) (\d+)$/.exec(line) ?? []
  if (name === '') throw new UserError('format', `the slot's index has the line '${line}', expected NAME FIRST BLOCKS`)
  return { name, first: Number(first), blocks: Number(blocks) }
}
