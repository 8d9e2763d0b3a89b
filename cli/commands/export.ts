import { join, resolve } from 'node:path'
import type { CliContext } from '../../builder/context.ts'
import { exportImage } from '../../builder/export/export.ts'
import { type Zstd, zstdFile } from '../../builder/export/zstd.ts'
import { platformNamed } from '../../builder/platforms/registry.ts'
import { formatSize } from '../../lib/format.ts'
import { formatTable } from '../display/table.ts'

export interface ExportCommand extends Pick<CliContext, 'project' | 'reporter' | 'signal'> {
  readonly host: { readonly name: string; readonly platform: string }
  /** A directory, relative to the project's. */
  readonly to: string
  readonly zstd: Zstd
}

/** Puts what was built where somebody else takes it from; the text to end with: the files. */
export async function exportCommand({
  host: { name: host, platform },
  to,
  project,
  reporter,
  signal,
  zstd,
}: ExportCommand): Promise<string> {
  const target = resolve(project, to)
  const output = join(project, 'out', host)
  const { images } = platformNamed(platform)
  const files = await exportImage({
    host,
    images: images(host),
    output,
    target,
    compress: zstdFile(zstd, signal),
    reporter,
  })
  const rows = files.map(({ name, size, sha256 }) => [name, formatSize(size), sha256.slice(0, 12)])
  return [
    formatTable([['file', 'size', 'sha256'], ...rows]),
    '',
    `${host}: in ${target}`,
    `onto a card: bmaptool copy ${join(target, `${host}.img.zst`)} /dev/sdX, or Raspberry Pi Imager`,
  ].join('\n')
}
