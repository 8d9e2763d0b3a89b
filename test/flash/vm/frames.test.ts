import { describe, expect, it } from 'vitest'
import { frameReader } from '../../../flash/vm/frames.ts'
import { frame, prefixed } from '../../helpers/ethernet.ts'
import { randomFrom } from '../../power-cut/random.ts'

const [ONE, TWO] = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const

function read(pieces: readonly Buffer[]) {
  const frames: { readonly to: string; readonly isGroup: boolean; readonly bytes: string }[] = []
  const take = frameReader(({ to, isGroup, bytes }) => frames.push({ to, isGroup, bytes: bytes.toString('hex') }))
  for (const piece of pieces) take(piece)
  return frames
}

describe('frameReader', () => {
  it('returns the same frames for any division of the stream', () => {
    const random = randomFrom(11, 1)
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, index) =>
        prefixed(frame(random() < 0.5 ? ONE : TWO, TWO, `${index}`.repeat(Math.floor(random() * 300)))),
      )
      const stream = Buffer.concat(sent)
      const pieces: Buffer[] = []
      for (let at = 0; at < stream.length; ) {
        const size = 1 + Math.floor(random() * 40)
        pieces.push(stream.subarray(at, at + size))
        at += size
      }
      expect(read(pieces).map(({ bytes }) => bytes)).toEqual(sent.map((each) => each.toString('hex')))
    }
  })

  it('tells broadcast and multicast from the address of one machine', () => {
    const frames = [ONE, 'ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01'].map((to) => prefixed(frame(to, TWO, 'x')))
    expect(read(frames).map(({ to, isGroup }) => [to, isGroup])).toEqual([
      [ONE, false],
      ['ff:ff:ff:ff:ff:ff', true],
      ['33:33:00:00:00:01', true],
    ])
  })

  it('skips a frame that is too short for its addresses', () => {
    expect(read([prefixed(Buffer.from('short')), prefixed(frame(ONE, TWO, 'x'))])).toHaveLength(1)
  })

  it('refuses a length that no frame of QEMU has', () => {
    expect(() => read([Buffer.from([0, 2, 0, 0])])).toThrow('a frame of 131072 bytes is larger than any frame of QEMU')
  })
})
