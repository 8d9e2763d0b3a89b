import type { Board } from './board.ts'
import type { Derivation, Input } from './derivation.ts'
import type { HostName, ServiceName } from './names.ts'

export type LayerName = 'base' | 'kernel' | 'host' | `container-${ServiceName}`

/** A read-only EROFS file system. Its derivation writes `layer.erofs` and `layer.leaves` (see `slot/verity.ts`). */
export interface Layer {
  readonly name: LayerName
  readonly derivation: Derivation
}

/** The image of a host: the layers of the slot, in order, and the files of the boot file system. */
export interface Image {
  readonly host: HostName
  readonly board: Board
  readonly slotSize: number
  readonly serial: { readonly time: number; readonly number: number }
  readonly layers: readonly Layer[]
  /**
   * The boot files: file name in the boot file system -> content. The build adds cmdline.txt, which has the root hash.
   */
  readonly bootFiles: Readonly<Record<string, Input>>
  /** The derivation that writes the SBOM without its head (see `sbom/document.ts`). */
  readonly sbom: Derivation
  /** The public keys that may log in, in the format of authorized_keys. */
  readonly sshKeys: readonly string[]
  /** Public keys that may sign an update of this image. */
  readonly signingKeys: readonly string[]
  readonly kernelArguments: readonly string[]
  readonly versions: Readonly<Record<string, string>>
}

/** Names of the two files in the output of a layer's derivation. */
export const LAYER_FILE = 'layer.erofs'
export const LEAVES_FILE = 'layer.leaves'
