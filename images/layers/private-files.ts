import { UserError } from '../../errors.ts'
import { privateKeyIn } from '../private-key/private-key.ts'
import type { FileTree } from '../tree.ts'

/**
 * Throws 'private' if a tree would put a private key into a layer: each person who gets the image can read it. Files of
 * Debian packages are public already, so nothing looks for keys in them (python3 ships some for its tests).
 */
export function requireNoPrivateKeys(layer: string, tree: FileTree): void {
  const found = Object.entries(tree).flatMap(([path, entry]) => {
    const kind = entry.kind === 'file' ? privateKeyIn(Buffer.from(entry.content as string)) : undefined
    return kind === undefined ? [] : [`'${path}' is ${kind}`]
  })
  if (found.length === 0) return
  throw new UserError('private', `layer '${layer}' would contain a private key: ${found.join('; ')}`, {
    hint: 'every reader of the image can read its files; make the key on the host at its first start, below /data',
  })
}
