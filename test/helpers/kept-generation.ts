import type { Parts } from '../../builder/generations/parts.ts'
import { digestOf } from '../../images/digest.ts'

/** Parts of an image that a word identifies. No store contains these parts. */
export function parts(word: string, given: Partial<Parts> = {}): Parts {
  const stored = (name: string) => ({ name, digest: digestOf(`${word} ${name}`), size: 4096 })
  return {
    slotSize: 8 << 20,
    layers: [{ ...stored('base'), leaves: { digest: digestOf(`${word} leaves`), size: 32 } }],
    boot: [stored('config.txt'), stored('manifest.json')],
    texts: [stored('manifest.json')],
    outputs: [{ name: 'slot.img', size: 4096, sha256: digestOf(`${word} slot`) }],
    origin: { lock: digestOf(`${word} lock`), graph: digestOf(`${word} graph`) },
    ...given,
  }
}
