/** The facts that decide whether a section of autoboot.txt or config.txt applies. */
export interface FilterFacts {
  readonly tryboot: boolean
  /** The chosen boot partition; undefined for autoboot.txt, which is read before the choice. */
  readonly partition: number | undefined
}

/** The settings that apply, with the last value of each name, and remarks for the trace. */
export interface ConfigText {
  readonly settings: ReadonlyMap<string, string>
  readonly remarks: readonly string[]
}

type Verdict = { readonly kind: string; readonly applies: boolean } | 'everything' | 'unknown'

/**
 * Parses autoboot.txt or config.txt (raspberrypi/documentation, config_txt): `key=value` lines, `#` comments and
 * `[filter]` lines. Filters of different kinds must all apply, a filter replaces the last one of its kind, and `[all]`
 * ends all filters. A filter that this emulation does not know never applies, and adds a remark.
 */
export function parseConfigText(text: string, facts: FilterFacts): ConfigText {
  const settings = new Map<string, string>()
  const remarks: string[] = []
  const filters = new Map<string, boolean>()
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const filter = /^\[(.*)\]$/.exec(line)?.[1]
    if (filter !== undefined) {
      const verdict = judgeFilter(filter.trim(), facts)
      if (verdict === 'unknown') remarks.push(`filter [${filter}] is not emulated: its section is skipped`)
      if (verdict === 'everything') filters.clear()
      else if (verdict === 'unknown') filters.set(filter, false)
      else filters.set(verdict.kind, verdict.applies)
    } else if ([...filters.values()].every((applies) => applies)) {
      const setting = parseSetting(line)
      if (setting === undefined) remarks.push(`line is neither a setting nor a filter: '${printable(line)}'`)
      else settings.set(...setting)
    }
  }
  return { settings, remarks }
}

function judgeFilter(filter: string, facts: FilterFacts): Verdict {
  if (filter === 'all') return 'everything'
  if (filter === 'none') return { kind: 'none', applies: false }
  if (filter === 'tryboot') return { kind: 'tryboot', applies: facts.tryboot }
  if (facts.partition === undefined) return 'unknown'
  const partition = /^boot_partition=(\d+)$/.exec(filter)?.[1]
  if (partition !== undefined) return { kind: 'boot_partition', applies: Number(partition) === facts.partition }
  return /^(pi|cm)\d/.test(filter) ? { kind: 'model', applies: filter === 'pi5' } : 'unknown'
}

/** Reads `initramfs FILE ADDRESS`, the only setting without an equals sign. */
function parseSetting(line: string): [string, string] | undefined {
  const initramfs = /^initramfs\s+(\S+)(?:\s+\S+)?$/.exec(line)?.[1]
  if (initramfs !== undefined) return ['initramfs', initramfs]
  const [, key, value] = /^([A-Za-z0-9_]+)\s*=\s*(.*)$/.exec(line) ?? []
  return key === undefined || value === undefined ? undefined : [key, value.trim()]
}

function printable(line: string): string {
  const text = line.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')
  return text.length < line.length ? `${text}…` : text
}
