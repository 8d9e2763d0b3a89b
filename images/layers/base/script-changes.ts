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
import { unsuitableFiles } from './made-files.ts'
import { translateDiversions } from './script-differences.ts'

/** The changes of maintainer scripts. Paths and contents in the root are already translated for the target. */
export interface ScriptChanges {
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
}

/** Runs the maintainer scripts of packages that are unpacked in a root of the builder's architecture. */
export async function runScripts(root: string, debs: readonly Deb[], setting: ScriptSetting): Promise<ScriptChanges> {
  const { builder, target } = setting
  const before = walk(root)
  writeAccounts(root, setting.accounts)
  const from = Date.now()
  await configure(root, debs)
  const ran = { from, to: Date.now() }
  refuseNewAccounts(root, setting.accounts)
  const after = walk(root)
  const { carried, deleted } = findChanges(before, after)
  const retouched = carried.filter((path) => isRetouched(before.get(path), after.get(path)))
  const made = carried.filter((path) => !retouched.includes(path))
  refuseUnsuitable(unsuitableFiles({ root, made, before, after, debs, ran }))
  const refused = made.flatMap((path) => {
    const reason = translate(root, path, after.get(path), setting)
    return reason === undefined ? [] : [`${path}: ${reason}`]
  })
  if (refused.length > 0)
    throw new Error(`cannot carry these changes of maintainer scripts to ${target}:\n  ${refused.join('\n  ')}`)
  const moved = (path: string) => move(root, path, targetPath(path, builder, target))
  return {
    made: made.map(moved).sort(),
    retouched: retouched.map(moved).sort(),
    deleted: deleted.map((path) => targetPath(path, builder, target)).sort(),
  }
}

function refuseUnsuitable(files: readonly string[]): void {
  if (files.length === 0) return
  throw new Error(
    [
      'maintainer scripts made files that belong to one machine or one moment; every host would have the same, and the next build another:',
      ...files.map((line) => `  ${line}`),
      '  run the package as a container, or leave it out and make the file on the host at its first start, below /data',
    ].join('\n'),
  )
}

const ACCOUNT_FILES = ['passwd', 'group', 'shadow', 'gshadow']

/** Writes the id table before any script runs, so that each package finds its users and groups. */
function writeAccounts(root: string, accounts: string): void {
  for (const name of ACCOUNT_FILES) {
    writeFileSync(`${root}/etc/${name}`, readFileSync(`${accounts}/${name}`), {
      mode: name.includes('shadow') ? 0o640 : 0o644,
    })
  }
}

/** Refuses users and groups that scripts added: with another package set, another account could get their id. */
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
      `maintainer scripts added a ${kind} that is not in the id table; append it to ACCOUNTS in images/ids.ts: ${added.join(', ')}`,
    )
  }
}

/** Whether only mode, owner or attributes changed. Then the target keeps the content of its own package. */
function isRetouched(then: Seen | undefined, now: Seen | undefined): boolean {
  return now?.kind === 'file' && then?.inode === now.inode && then.mtime === now.mtime && then.size === now.size
}

const DIVERSIONS = '/var/lib/dpkg/diversions'

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

function move(root: string, from: string, to: string): string {
  // Skips a path that has already moved together with its parent directory.
  if (from !== to && lstatSync(root + from, { throwIfNoEntry: false }) !== undefined) {
    mkdirSync(dirname(root + to), { recursive: true })
    renameSync(root + from, root + to)
  }
  return to
}
