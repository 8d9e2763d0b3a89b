import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import type { HostKeys, TimedBuild } from '../build-host.ts'
import { formatTable } from '../display/table.ts'

/** A table of the layers, the keys of the host file, the result, and the command to type next. */
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
    ...keyLines(build.keys),
    buildLine(host, build),
    `next: npm run vm ${host}`,
  ].join('\n')
}

/** The fingerprints of the keys, as `ssh-keygen -l` shows them: a wrong key of the right form is only visible here. */
function keyLines({ login, signing }: HostKeys): string[] {
  const rows = (use: string, lines: readonly string[]) =>
    lines.map((line) => [use, fingerprintOf(line), line.split(' ').slice(2).join(' ')])
  const all = [...rows('may log in', login), ...rows('may sign', signing)]
  return all.length === 0 ? [] : [formatTable([['key', 'fingerprint', 'name'], ...all]), '']
}

/** The result of a build: `adama: generation 3 (1a2b3c4d5e6f), 206 MB in out/adama, unchanged in 0.2 s`. */
export function buildLine(host: string, { built, took }: TimedBuild): string {
  const { generation, root, slotSize, outputs } = built
  const image = `generation ${generation} (${root.slice(0, 12)})`
  return `${host}: ${image}, ${formatSize(slotSize)} in out/${host}, ${outputs} in ${formatDuration(took)}`
}
