import { formatDuration, formatSize } from '../../lib/format.ts'
import type { TimedBuild } from '../build-host.ts'
import { formatTable } from '../display/table.ts'

/** A table of the layers, the result, and the command to type next. */
export function buildText(host: string, build: TimedBuild): string {
  const rows = build.built.layers.map(({ name, size, made }) => [
    name,
    formatSize(size),
    made.kind === 'reused' ? 'reused' : 'built',
    made.kind === 'reused' ? '' : formatDuration(made.took),
  ])
  return [
    '',
    formatTable([['layer', 'size', '', 'time'], ...rows]),
    '',
    buildLine(host, build),
    `next: npm run vm ${host}`,
  ].join('\n')
}

/** The result of a build: `adama: generation 3 (1a2b3c4d5e6f), 206 MB in out/adama, unchanged in 0.2 s`. */
export function buildLine(host: string, { built, took }: TimedBuild): string {
  const { generation, root, slotSize, outputs } = built
  const image = `generation ${generation} (${root.slice(0, 12)})`
  return `${host}: ${image}, ${formatSize(slotSize)} in out/${host}, ${outputs} in ${formatDuration(took)}`
}
