import {
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Architecture } from '../../architecture.ts'
import { Refusal } from '../../refusal.ts'
import { hasSameContent, type Seen, walk } from '../parts/walk.ts'
import { type Purpose, withoutMachineFiles, withoutPackages } from '../purpose.ts'
import { findChanges, judgeContent, type LeavesBehind, targetPath } from './carry.ts'
import { configure, type Scripts } from './configure.ts'
import { type Refused, unsuitableFiles } from './made-files.ts'
import { type AccountTexts, refuseNewAccounts } from './new-accounts.ts'
import { responsibleFor } from './responsible.ts'
import { findSameFiles, type Renamed, type SameFiles } from './same-file.ts'
import { DIVERSIONS, translateDiversions } from './script-differences.ts'

/** The changes of maintainer scripts. Paths and contents in the root are already translated for the target. */
export interface ScriptChanges extends SameFiles {
  /** New paths, and paths with different content. Sorted. */
  readonly made: readonly string[]
  /** Files of packages that have the same content, but a different mode, owner or extended attribute. Sorted. */
  readonly retouched: readonly string[]
  readonly deleted: readonly string[]
}

export interface ScriptSetting {
  /** The directory with passwd, group, shadow and gshadow. */
  readonly accounts: string
  readonly builder: Architecture
  readonly target: Architecture
  readonly purpose: Purpose
  readonly leavesBehind: LeavesBehind
  /** The root before any script ran, if scripts of other packages ran already. */
  readonly shipped?: ReadonlyMap<string, Seen>
}

/** Runs maintainer scripts of packages that are unpacked in a root of the builder's architecture. */
export async function runScripts(root: string, scripts: Scripts, setting: ScriptSetting): Promise<ScriptChanges> {
  const { builder, target, leavesBehind } = setting
  const before = withoutTables(walk(root))
  const accounts = accountTexts(`${root}/etc`)
  const from = Date.now()
  await configure(root, scripts)
  const ran = { from, to: Date.now() }
  refuseNewAccounts(accountTexts(setting.accounts), accounts, accountTexts(`${root}/etc`))
  const after = walk(root)
  const { carried, deleted } = findChanges(before, after, leavesBehind)
  // The target keeps the content of its own package.
  const retouched = carried.filter((path) => hasSameContent(before.get(path), after.get(path)))
  const changed = carried.filter((path) => !retouched.includes(path))
  const { linked, moved } = findSameFiles(before, after, changed)
  const same = new Set([...linked, ...moved].map(({ to }) => to))
  const made = changed.filter((path) => !same.has(path))
  const unsuitable = unsuitableFiles({ root, made, shipped: setting.shipped ?? before, after, ran })
  if (unsuitable.length > 0) throw machineFilesRefusal(unsuitable, scripts, setting)
  const refused = made.flatMap((path) => {
    const reason = translate(root, path, after.get(path), setting)
    return reason === undefined ? [] : [{ path, reason }]
  })
  if (refused.length > 0) throw carryRefusal(refused, scripts, setting)
  const pathOf = (path: string) => targetPath(path, builder, target)
  const move = (path: string) => movePath(root, path, pathOf(path))
  const renamed = ({ from, to }: Renamed) => ({ from: pathOf(from), to: move(to) })
  return {
    made: made.map(move).sort(),
    retouched: retouched.map(move).sort(),
    deleted: deleted.map(pathOf).sort(),
    linked: linked.map(renamed),
    moved: moved.map(renamed),
  }
}

const ACCOUNT_FILES = ['passwd', 'group', 'shadow', 'gshadow']

export function isAccountFile(path: string): boolean {
  return ACCOUNT_FILES.some((name) => path === `/etc/${name}`)
}

/** Writes the id table before any script runs, so that each package finds its users and groups. */
export function writeAccounts(root: string, accounts: string): void {
  for (const name of ACCOUNT_FILES) {
    writeFileSync(`${root}/etc/${name}`, readFileSync(`${accounts}/${name}`), {
      mode: name.includes('shadow') ? 0o640 : 0o644,
    })
  }
}

function accountTexts(directory: string): AccountTexts {
  const text = (name: string) => readFileSync(`${directory}/${name}`, 'utf8')
  return { passwd: text('passwd'), group: text('group') }
}

/** Forgets the tables that hangar itself writes: the target has none of them, so they are always new. */
function withoutTables(seen: Map<string, Seen>): Map<string, Seen> {
  for (const path of [DIVERSIONS, ...ACCOUNT_FILES.map((name) => `/etc/${name}`)]) seen.delete(path)
  return seen
}

function carryRefusal(refused: readonly Refused[], scripts: Scripts, { target, purpose }: ScriptSetting): Refusal {
  const { list, packages } = described(refused, scripts)
  const message = `cannot carry these changes of maintainer scripts to ${target}:${list}`
  return new Refusal('carry', message, withoutPackages(packages, purpose))
}

function machineFilesRefusal(refused: readonly Refused[], scripts: Scripts, { purpose }: ScriptSetting): Refusal {
  const { list, packages } = described(refused, scripts)
  const message = `maintainer scripts made files that belong to one machine or one moment; every host would have the same, and the next build another:${list}`
  return new Refusal('carry', message, withoutMachineFiles(packages, purpose))
}

/** One line for each path, with the packages that probably made it. */
function described(refused: readonly Refused[], { preinst: debs }: Scripts) {
  const found = refused.map((each) => ({ ...each, packages: responsibleFor(each.path, debs) }))
  const list = found.map(({ path, reason, packages }) => {
    const of = packages.length === 0 ? '' : ` (${packages.join(' or ')})`
    return `\n  ${path}${of}: ${reason}`
  })
  return { list: list.join(''), packages: found.flatMap(({ packages }) => packages) }
}

/** Translates the content of one path for the target, in place. Returns the reason if that is not possible. */
function translate(
  root: string,
  path: string,
  seen: Seen | undefined,
  { builder, target }: ScriptSetting,
): string | undefined {
  const file = root + path
  if (seen?.kind === 'other') return 'it is neither a file, a directory nor a link'
  if (seen?.kind === 'symlink' && targetPath(seen.target, builder, target) !== seen.target) {
    unlinkSync(file)
    symlinkSync(targetPath(seen.target, builder, target), file)
    lchownSync(file, seen.uid, seen.gid)
  }
  if (seen?.kind !== 'file') return undefined
  const verdict = judgeContent(readFileSync(file), builder, target)
  if (verdict.kind === 'rewritten') writeFileSync(file, verdict.content)
  if (path === DIVERSIONS)
    writeFileSync(file, translateDiversions(readFileSync(file, 'latin1'), builder, target), 'latin1')
  return verdict.kind === 'refused' ? verdict.reason : undefined
}

function movePath(root: string, from: string, to: string): string {
  // Skips a path that has already moved together with its parent directory.
  if (from !== to && lstatSync(root + from, { throwIfNoEntry: false }) !== undefined) {
    mkdirSync(dirname(root + to), { recursive: true })
    renameSync(root + from, root + to)
  }
  return to
}
