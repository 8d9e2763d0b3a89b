import type { Difference, Moved } from '../../builder/generations/difference.ts'
import type { LayerFile } from '../../images/layers/layer-files/recipe.ts'
import { formatSize } from '../../lib/format.ts'
import { formatTable } from '../display/table.ts'

/** The largest number of paths that hangar prints for each layer; `--json` prints all. */
const MAX_PATHS = 20

/** The text of a difference: packages, containers, files, configuration, then sizes. */
export function differenceText(host: string, whole: Difference): string {
  const difference = withoutNewAndRemoved(whole)
  const sections = [
    section('packages', packageLines(difference)),
    section(
      'containers',
      difference.containers.map(({ name, change }) => `${change.padEnd(7)}  ${name}`),
    ),
    section('files', fileLines(difference.files)),
    section(
      'configuration',
      difference.configuration.flatMap(({ where, diff }) => [`in ${where}:`, ...indented(diff)]),
    ),
    section('sizes', sizeLines(difference)),
  ].filter((lines) => lines.length > 0)
  const head = `${host}: ${nameOf(difference.from)} -> ${nameOf(difference.to)}`
  if (sections.length === 0) return `${head}\nno difference`
  return [head, ...sections.map((lines) => lines.join('\n'))].join('\n\n')
}

/** Leaves out the packages and files of added and removed containers; `--json` prints them. */
function withoutNewAndRemoved(difference: Difference): Difference {
  const whole = difference.containers
    .filter(({ change }) => change !== 'changed')
    .map(({ name }) => `container-${name}`)
  const isKept = ({ where }: { readonly where: string }) => !whole.includes(where)
  return {
    ...difference,
    packages: difference.packages?.filter(isKept) ?? null,
    files: difference.files.filter(isKept),
    configuration: difference.configuration.filter(isKept),
  }
}

function nameOf({ number, root, built, revision }: Difference['from']): string {
  const from = revision === null ? '' : `, ${revision.replace(/^(.{12}).{28}/, '$1')}`
  return `generation ${number} (${root.slice(0, 12)}, ${built.slice(0, 16).replace('T', ' ')}${from})`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}

function packageLines({ packages, programs }: Difference): string[] {
  if (packages === null) return ['unknown: one of the generations was built on another machine']
  const width = (of: (each: Moved<string>) => string) => Math.max(0, ...packages.map((each) => of(each).length))
  const [layers, names] = [width(({ where }) => where), width(({ name }) => name)]
  const lines = packages.map(
    ({ where, name, before, after }) => `${where.padEnd(layers)}  ${name.padEnd(names)}  ${movement(before, after)}`,
  )
  const tools = programs === null || programs.length === 0 ? [] : [`${programs.length} build programs changed`]
  return [...lines, ...tools]
}

function movement(before: string | undefined, after: string | undefined): string {
  if (before === undefined) return `new ${after}`
  return after === undefined ? `${before} dropped` : `${before} -> ${after}`
}

function fileLines(files: readonly Moved<LayerFile>[]): string[] {
  const layers = [...new Set(files.map(({ where }) => where))]
  return layers.flatMap((layer) => {
    const own = files.filter(({ where }) => where === layer)
    const more = own.length > MAX_PATHS ? [`  and ${own.length - MAX_PATHS} more; to list all: --json`] : []
    return [`${layer}: ${counted(own)}`, ...own.slice(0, MAX_PATHS).map((each) => `  ${fileLine(each)}`), ...more]
  })
}

function counted(files: readonly Moved<LayerFile>[]): string {
  const added = files.filter(({ before }) => before === undefined).length
  const removed = files.filter(({ after }) => after === undefined).length
  const counts = { added, removed, changed: files.length - added - removed }
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
}

function fileLine({ name, before, after }: Moved<LayerFile>): string {
  if (before === undefined) return `+ ${name}${sizeOf(after)}`
  if (after === undefined) return `- ${name}`
  return `~ ${name}${changeOf(before, after)}`
}

/** The change of a path's type, target or permissions. If only the content changed: the new size. */
function changeOf(before: LayerFile, after: LayerFile): string {
  if (before.kind !== after.kind) return `  ${before.kind} -> ${after.kind}`
  if (before.target !== after.target) return `  ${before.target} -> ${after.target}`
  const rights = ({ mode, uid, gid }: LayerFile) => `${mode.toString(8).padStart(4, '0')} ${uid}:${gid}`
  return rights(before) === rights(after) ? sizeOf(after) : `  ${rights(before)} -> ${rights(after)}`
}

function sizeOf(file: LayerFile | undefined): string {
  return file?.size === undefined ? '' : `  ${formatSize(file.size)}`
}

function sizeLines({ sizes }: Difference): string[] {
  const rows = sizes.map(({ name, before, after }) => {
    const by = (after ?? 0) - (before ?? 0)
    const change = `${by < 0 ? '-' : '+'}${formatSize(Math.abs(by))}`
    return [
      name,
      before === null ? 'none' : formatSize(before),
      '->',
      after === null ? 'none' : formatSize(after),
      change,
    ]
  })
  return rows.length === 0 ? [] : formatTable(rows).split('\n')
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
}
