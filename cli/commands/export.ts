import { join, resolve } from 'node:path'
import type { ExportedFile } from '../../builder/export/export.ts'
import { formatSize } from '../../lib/format.ts'
import type { Command } from '../command.ts'
import { formatTable } from '../display/table.ts'

export interface ExportFlags {
  readonly to: string
}

export const exportImage: Command<ExportFlags> = {
  name: 'export',
  group: 'publish',
  arguments: '<host>',
  summary: 'write the disk image for download, with SBOM and digests',
  details: ['Writes the compressed disk image of out/HOST, its block map, the SBOM and SHA256SUMS to a directory.'],
  options: [
    {
      flags: '--to <directory>',
      about: 'directory to create, or an earlier export to replace (required)',
      required: true,
    },
  ],
  examples: [{ about: 'export the image of adama', line: 'npm run export adama -- --to release/adama' }],
  async run(context, [name = ''], { to }) {
    const { exportImage: exportHost } = await import('../../builder/export/export.ts')
    const { zstdFile } = await import('../../builder/export/zstd.ts')
    const { programOf } = await import('../../flash/vm/program.ts')
    const { CONTROL } = await import('../../images/sets.ts')
    const { platformNamed } = await import('../../builder/platforms/registry.ts')
    const { platformOf } = await import('../../hosts/schema/plan.ts')
    const { unpackPrograms } = await import('../programs.ts')
    const { project, reporter, signal } = context
    const loaded = await context.hosts.load(name)
    const host = loaded.name
    const images = platformNamed(platformOf(loaded).name).images(host)
    const [target, output] = [resolve(to), join(project, 'out', host)]
    const zstd = programOf(await unpackPrograms(context, CONTROL), 'zstd')
    const files = await exportHost({ host, images, output, target, compress: zstdFile(zstd, signal), reporter })
    return exportText(host, target, files)
  },
}

function exportText(host: string, target: string, files: readonly ExportedFile[]): string {
  const rows = files.map(({ name, size, sha256 }) => [name, formatSize(size), sha256.slice(0, 12)])
  return [
    formatTable([['file', 'size', 'sha256'], ...rows]),
    '',
    `${host}: exported to ${target}`,
    `next: bmaptool copy ${join(target, `${host}.img.zst`)} /dev/sdX, or use Raspberry Pi Imager`,
  ].join('\n')
}
