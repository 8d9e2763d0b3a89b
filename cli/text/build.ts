import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import type { HostBuilds, HostResult } from '../build-hosts.ts'
import { formatTable } from '../display/table.ts'

/** A table of the images, the keys of the host files, the result, and the command to type next. */
export function buildsText({ results, took }: Pick<HostBuilds, 'results' | 'took'>): string {
  const [first, ...others] = results
  if (first === undefined) return ''
  const keys = keyLines(results)
  const next = `next: npm run vm ${first.host}`
  if (others.length === 0) return ['', layerTable(first), '', ...keys, buildLine(first, took), next].join('\n')
  return ['', hostTable(results), '', ...keys, allLine(results, took), next].join('\n')
}

/** The results of builds without the tables of layers and keys, for a command that goes on. */
export function shortBuildsText({ results, took }: Pick<HostBuilds, 'results' | 'took'>): string {
  const [first, ...others] = results
  if (first === undefined) return ''
  return others.length === 0 ? buildLine(first, took) : `${hostTable(results)}\n${allLine(results, took)}`
}

function layerTable({ built }: HostResult): string {
  const rows = built.layers.map(({ name, size, made }) => [
    name,
    formatSize(size),
    made.kind === 'reused' ? 'reused' : 'built',
    made.kind === 'reused' ? '' : formatDuration(made.took),
  ])
  return formatTable([['layer', 'size', '', 'time'], ...rows])
}

/** One row for each host. The display has shown the steps: most of them belong to several hosts. */
function hostTable(results: readonly HostResult[]): string {
  const rows = results.map(({ host, built: { generation, root, slotSize, outputs } }) => [
    ...[host, `${generation}`, root.slice(0, 12), formatSize(slotSize), outputs],
  ])
  return formatTable([['host', 'generation', 'root', 'size', 'files'], ...rows])
}

interface ShownKey {
  readonly use: string
  readonly line: string
  readonly host: string
}

/** The fingerprints of the keys, as `ssh-keygen -l` shows them: a wrong key of the right form is only visible here. */
function keyLines(results: readonly HostResult[]): string[] {
  const shown = results.flatMap(({ host, keys: { login, signing } }): ShownKey[] => [
    ...login.map((line) => ({ use: 'may log in', line, host })),
    ...signing.map((line) => ({ use: 'may sign', line, host })),
  ])
  if (shown.length === 0) return []
  const head = ['key', 'fingerprint', 'name']
  const each = [...new Map(shown.map((key) => [`${key.use} ${key.line}`, key])).values()]
  const rows = each.map(({ use, line }) => [use, fingerprintOf(line), line.split(' ').slice(2).join(' ')])
  if (results.length === 1) return [formatTable([head, ...rows]), '']
  const hosts = each.map((key) => shown.filter((other) => isSame(key, other)).map(({ host }) => host))
  const withHosts = rows.map((row, at) => [...row, hostsText(hosts[at] ?? [], results.length)])
  return [formatTable([[...head, 'hosts'], ...withHosts]), '']
}

function isSame(a: ShownKey, b: ShownKey): boolean {
  return a.use === b.use && a.line === b.line
}

function hostsText(hosts: readonly string[], all: number): string {
  return hosts.length === all ? 'all' : hosts.join(' ')
}

function allLine(results: readonly HostResult[], took: number): string {
  return `${results.length} images in out/HOST, in ${formatDuration(took)}`
}

/** The result of a build: `adama: generation 3 (1a2b3c4d5e6f), 206 MB in out/adama, unchanged in 0.2 s`. */
function buildLine({ host, built }: HostResult, took: number): string {
  const { generation, root, slotSize, outputs } = built
  const image = `generation ${generation} (${root.slice(0, 12)})`
  return `${host}: ${image}, ${formatSize(slotSize)} in out/${host}, ${outputs} in ${formatDuration(took)}`
}
