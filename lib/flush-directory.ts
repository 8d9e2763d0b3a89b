import { open } from 'node:fs/promises'

/** Names that came or went in a directory are on the disk afterwards. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path)
  await directory.sync().finally(() => directory.close())
}
