import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Assembled, type AssembleRequest, assemble } from '../../builder/platforms/assemble.ts'
import { pi } from '../../builder/platforms/pi/platform.ts'
import type { RealisedLayer } from '../../builder/platforms/platform.ts'
import { BOARDS } from '../../images/board.ts'
import { digestOf } from '../../images/digest.ts'
import type { Image } from '../../images/image.ts'
import { BLOCK, MIB } from '../../images/layout.ts'
import { restText } from '../../images/sbom/document.ts'
import { formatPublicKey, keyFromSeed } from '../../images/signature/openssh-key.ts'
import { leavesOf } from '../../images/slot/verity.ts'

/** A realised layer with one block for each letter, filled with that letter. */
export function smallLayer(directory: string, name: string, letters: string): RealisedLayer {
  const bytes = Buffer.concat([...letters].map((letter) => Buffer.alloc(BLOCK, letter)))
  const file = join(directory, `${name}-${digestOf(letters).slice(0, 12)}.erofs`)
  writeFileSync(file, bytes)
  writeFileSync(`${file}.leaves`, leavesOf(bytes))
  return { name, file, size: bytes.length, digest: digestOf(bytes), leaves: `${file}.leaves` }
}

/** A boot file, put into the store as the output of a derivation. */
export function smallFile(directory: string, name: string, text: string) {
  const file = join(directory, `${digestOf(text)}-${name}`)
  writeFileSync(file, text)
  return { file, size: Buffer.byteLength(text), digest: digestOf(text) }
}

const KEY = keyFromSeed(Buffer.alloc(32, 7), 'test signing')
export const SIGNED = { kind: 'signed', key: KEY, publicLine: formatPublicKey(KEY) } as const
export const UNSIGNED = { kind: 'unsigned' } as const

/** A request to assemble a Pi's image. */
export type PiRequest = AssembleRequest<Image>

/** Assembles a Pi's image in the output directory of the request. */
export function assemblePi(request: PiRequest): Promise<Assembled> {
  return assemble(pi, request)
}

/** A request with three layers and two boot files, which are written to the directory `sources`. */
export function smallImage(
  sources: string,
  output: string,
  { base = 'aaab', kernel = 'kk', host = 'h', licence = '', ...given }: Partial<PiRequest> & SmallLayers = {},
): PiRequest {
  return {
    host: 'tiny',
    board: BOARDS['raspberry-pi-5'],
    slotSize: 8 * MIB,
    serial: { time: 1_700_000_000, number: 1 },
    layers: Object.entries({ base, kernel, host }).map(([name, letters]) => smallLayer(sources, name, letters)),
    bootFiles: {
      'config.txt': smallFile(sources, 'config.txt', 'arm_64bit=1\n'),
      'kernel_2712.img': smallFile(sources, 'kernel_2712.img', 'k'.repeat(3 * BLOCK)),
    },
    kernelArguments: ['console=tty1', 'ro'],
    versions: { kernel: '6.12-1' },
    sbom: smallFile(
      sources,
      'rest.json',
      restText({ packages: [], relationships: [] }, [{ licenseId: 'LicenseRef-x', name: 'x', extractedText: licence }]),
    ),
    signing: SIGNED,
    sshKeys: ['ssh-ed25519 AAAA owner'],
    signingKeys: ['ssh-ed25519 AAAA signer'],
    output,
    ...given,
  }
}

/** Returns one letter for each block of a layer. */
export interface SmallLayers {
  readonly base?: string
  readonly kernel?: string
  readonly host?: string
  /** A licence text for the SBOM. */
  readonly licence?: string
}
