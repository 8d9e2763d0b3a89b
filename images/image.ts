import type { Board } from './board.ts'
import type { Derivation, Input } from './derivation.ts'
import type { HostName, ServiceName } from './names.ts'

export type LayerName = 'base' | 'kernel' | 'host' | `container-${ServiceName}`

/** A read-only EROFS file system; its derivation leaves `layer.erofs` and `layer.leaves` (see `slot/verity.ts`). */
export interface Layer {
  readonly name: LayerName
  readonly derivation: Derivation
}

/** What a host boots: layers in the slot's order, and the files of its boot file system. */
export interface Image {
  readonly host: HostName
  readonly board: Board
  readonly slotSize: number
  readonly serial: { readonly time: number; readonly number: number }
  readonly layers: readonly Layer[]
  /** File name in the boot file system -> where its bytes come from. cmdline.txt is added with the root hash. */
  readonly bootFiles: Readonly<Record<string, Input>>
  /** Leaves the SBOM but for its beginning (see `sbom/document.ts`). */
  readonly sbom: Derivation
  /** Public keys that may log in, as `authorized_keys` has them. */
  readonly sshKeys: readonly string[]
  /** Public keys that may sign what comes after it. */
  readonly signingKeys: readonly string[]
  readonly kernelArguments: readonly string[]
  readonly versions: Readonly<Record<string, string>>
}

/** What `layer.erofs` and its leaves are called in a layer derivation's output. */
export const LAYER_FILE = 'layer.erofs'
export const LEAVES_FILE = 'layer.leaves'
