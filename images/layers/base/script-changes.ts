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
import type { Deb } from '../parts/deb.ts'
import { type Seen, walk } from '../parts/walk.ts'
import { findChanges, judgeContent, targetPath } from './carry.ts'
import { configure } from './configure.ts'
import { mendDiversions } from './script-differences.ts'

/** What maintainer scripts changed, in their root at the paths and with the content that are right for the target. */
export interface ScriptChanges {
  /** Paths that are new or have another content, sorted. */
  readonly made: readonly string[]
  /** Files of packages that got another mode, owner or extended attribute and kept their content, sorted. */
  readonly retouched: readonly string[]
  readonly deleted: readonly string[]
}

export interface ScriptSetting {
  /** Directory of passwd, group, shadow and gshadow. */
  readonly accounts: string
  readonly builder: Architecture
  readonly target: Architecture
}

/** Runs the maintainer scripts of packages that are unpacked in a root of the builder's own architecture. */
export async function runScripts(root: string, debs: readonly Deb[], setting: ScriptSetting): Promise<ScriptChanges> {
  const { builder, target } = setting
  const before = walk(root)
  placeAccounts(root, setting.accounts)
  await configure(root, debs)
  refuseNewAccounts(root, setting.accounts)
  const after = walk(root)
  const { carried, deleted } = findChanges(before, after)
  const retouched = carried.filter((path) => isRetouched(before.get(path), after.get(path)))
  const made = carried.filter((path) => !retouched.includes(path))
  const refused = made.flatMap((path) => {
    const reason = mend(root, path, after.get(path), setting)
    return reason === undefined ? [] : [`${path}: ${reason}`]
  })
  if (refused.length > 0)
    throw new Error(`cannot carry to ${target} what maintainer scripts made:\n  ${refused.join('\n  ')}`)
  const moved = (path: string) => move(root, path, targetPath(path, builder, target))
  return {
    made: made.map(moved).sort(),
    retouched: retouched.map(moved).sort(),
    deleted: deleted.map((path) => targetPath(path, builder, target)).sort(),
  }
}

const ACCOUNT_FILES = ['passwd', 'group', 'shadow', 'gshadow']

/** The table of ids is there before any script runs, so that every package finds its own. */
function placeAccounts(root: string, accounts: string): void {
  for (const name of ACCOUNT_FILES) {
    writeFileSync(`${root}/etc/${name}`, readFileSync(`${accounts}/${name}`), {
      mode: name.includes('shadow') ? 0o640 : 0o644,
    })
  }
}

/** A user or group that scripts added has an id that the next package set may give to another. */
function refuseNewAccounts(root: string, accounts: string): void {
  const nameOf = (line: string) => line.split(':')[0] ?? ''
  for (const [file, kind] of [
    ['passwd', 'user'],
    ['group', 'group'],
  ] as const) {
    const given = new Set(readFileSync(`${accounts}/${file}`, 'utf8').split('\n').map(nameOf))
    const added = readFileSync(`${root}/etc/${file}`, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !given.has(nameOf(line)))
    if (added.length === 0) continue
    throw new Error(
      `maintainer scripts made a ${kind} that is not in the id table, add to images/ids.ts: ${added.join(', ')}`,
    )
  }
}

/** Only its mode, owner or attributes changed: the content is the package's, and the target has its own. */
function isRetouched(then: Seen | undefined, now: Seen | undefined): boolean {
  return now?.kind === 'file' && then?.inode === now.inode && then.mtime === now.mtime && then.size === now.size
}

const DIVERSIONS = '/var/lib/dpkg/diversions'

/** Makes the content of one path right for the target, in place; a reason where that cannot be done. */
function mend(
  root: string,
  path: string,
  seen: Seen | undefined,
  { builder, target }: ScriptSetting,
): string | undefined {
  const file = root + path
  if (seen?.kind === 'other') return 'neither file, directory nor link'
  if (seen?.kind === 'symlink' && targetPath(seen.target, builder, target) !== seen.target) {
    unlinkSync(file)
    symlinkSync(targetPath(seen.target, builder, target), file)
    lchownSync(file, seen.uid, seen.gid)
  }
  if (seen?.kind !== 'file') return undefined
  const verdict = judgeContent(readFileSync(file), builder, target)
  if (verdict.kind === 'rewritten') writeFileSync(file, verdict.content)
  if (path === DIVERSIONS) writeFileSync(file, mendDiversions(readFileSync(file, 'utf8'), builder, target))
  return verdict.kind === 'refused' ? verdict.reason : undefined
}

function move(root: string, from: string, to: string): string {
  // A directory above may have moved already, and this path with it.
  if (from !== to && lstatSync(root + from, { throwIfNoEntry: false }) !== undefined) {
    mkdirSync(dirname(root + to), { recursive: true })
    renameSync(root + from, root + to)
  }
  return to
}
