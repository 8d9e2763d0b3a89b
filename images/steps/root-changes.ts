import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Architecture } from '../architecture.ts'
import { findChanges, judgeContent, targetPath } from './parts/carry.ts'
import { configure } from './parts/configure.ts'
import { unpackDebs } from './parts/deb.ts'
import { writeDatabase } from './parts/dpkg-database.ts'
import { capture, exec } from './parts/exec.ts'
import { EPOCH } from './parts/layer.ts'
import { walk } from './parts/walk.ts'

// Configures a root of the builder's own architecture and leaves what its scripts changed: `changes.tar`,
// `retouched.json`, `retouched.xattrs` and `deleted.json`. Inputs: /in/debs, /in/accounts (passwd, group, shadow, gshadow). Arguments: builder, target.
const [builder, target] = process.argv.slice(2) as [Architecture, Architecture]
const ROOT = '/build/root'

const debs = await unpackDebs(readdirSync('/in/debs').sort().map((name) => `/in/debs/${name}`), ROOT)
writeDatabase(ROOT, debs, 'unpacked')
console.error("PHASE unpacked", process.uptime())
const before = walk(ROOT)
console.error("PHASE walked", process.uptime())
placeAccounts()
await configure(ROOT, debs)
console.error("PHASE configured", process.uptime())
refuseNewAccounts()
const after = walk(ROOT)

console.error("PHASE walked", process.uptime())
const changes = findChanges(before, after)
const retouched = changes.carried.filter(isRetouched)
const refused: string[] = []
const paths = changes.carried.filter((path) => !isRetouched(path)).map(carry)
if (refused.length > 0) throw new Error(`cannot carry to ${target} what maintainer scripts made:\n  ${refused.join('\n  ')}`)
await pack([...new Set(paths)].sort())
await describeRetouched()
writeFileSync('/out/deleted.json', JSON.stringify(changes.deleted.map((path) => targetPath(path, builder, target)).sort()))

/** The table of ids is there before any script runs, so that every package finds its own. */
function placeAccounts(): void {
  for (const name of ['passwd', 'group', 'shadow', 'gshadow']) {
    writeFileSync(`${ROOT}/etc/${name}`, readFileSync(`/in/accounts/${name}`), { mode: name.includes('shadow') ? 0o640 : 0o644 })
  }
}

/** A user or group that scripts added has an id that the next package set may give to another. */
function refuseNewAccounts(): void {
  for (const name of ['passwd', 'group']) {
    const given = new Set(names(readFileSync(`/in/accounts/${name}`, 'utf8')))
    const added = readFileSync(`${ROOT}/etc/${name}`, 'utf8').split('\n').filter((line) => line !== '' && !given.has(line.split(':')[0] ?? ''))
    for (const line of added) {
      throw new Error(`a maintainer script made the ${name === 'passwd' ? 'user' : 'group'} '${line}', which is not in the id table: add it to images/ids.ts`)
    }
  }
}

function names(text: string): string[] {
  return text.split('\n').map((line) => line.split(':')[0] ?? '')
}

/** Makes one changed path right for the target, in place; returns its path there. */
function carry(path: string): string {
  const file = ROOT + path
  const stats = lstatSync(file)
  const seen = after.get(path)
  if (seen?.kind === 'other') refused.push(`${path}: neither file, directory nor link`)
  if (seen?.kind === 'symlink' && targetPath(seen.target, builder, target) !== seen.target) {
    unlinkSync(file)
    symlinkSync(targetPath(seen.target, builder, target), file)
  }
  if (stats.isFile()) carryContent(path)
  const moved = targetPath(path, builder, target)
  if (moved !== path) {
    mkdirSync(dirname(ROOT + moved), { recursive: true })
    renameSync(file, ROOT + moved)
  }
  return moved
}

/** Only its mode, owner or attributes changed: the content is the package's, and the target has its own. */
function isRetouched(path: string): boolean {
  const then = before.get(path)
  const now = after.get(path)
  return now?.kind === 'file' && then?.inode === now.inode && then.mtime === now.mtime && then.size === now.size
}

/** `retouched.json`: path -> mode, owner, group; `retouched.xattrs`: their extended attributes as `setfattr --restore` reads them. */
async function describeRetouched(): Promise<void> {
  const described = retouched.map((path) => {
    const { mode, uid, gid } = lstatSync(ROOT + path)
    return [targetPath(path, builder, target), { mode: mode & 0o7777, uid, gid }] as const
  })
  writeFileSync('/out/retouched.json', JSON.stringify(Object.fromEntries(described)))
  const files = retouched.map((path) => ROOT + path)
  const dump = files.length === 0 ? '' : await capture('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', ...files])
  writeFileSync('/out/retouched.xattrs', targetPath(dump, builder, target))
}

function carryContent(path: string): void {
  const verdict = judgeContent(readFileSync(ROOT + path), builder, target)
  if (verdict.kind === 'refused') refused.push(`${path}: ${verdict.reason}`)
  if (verdict.kind === 'rewritten') writeFileSync(ROOT + path, verdict.content)
}

/** One tar, the same bytes for the same changes: order, times and headers are all fixed. */
async function pack(carried: readonly string[]): Promise<void> {
  writeFileSync('/build/list', carried.map((path) => `.${path}\0`).join(''))
  utimesSync('/build/list', EPOCH, EPOCH)
  const pax = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'
  await exec('tar', ['-c', '-f', '/out/changes.tar', '--format=pax', pax, '--xattrs', '--acls', '--numeric-owner', `--mtime=@${EPOCH}`, '--no-recursion', '--null', '-C', ROOT, '-T', '/build/list'])
}
