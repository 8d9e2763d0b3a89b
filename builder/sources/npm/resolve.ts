import { UserError } from '../../../errors.ts'
import { excluding, nodeVersionIn, requireEngines } from '../../../images/npm/engines.ts'
import type { FolderTexts } from '../../../images/npm/locked-packages.ts'
import { parseManifest } from '../../../images/npm/manifest.ts'
import { tarballPath } from '../../../images/npm/name.ts'
import type { NpmPackage, NpmRequest } from '../../../images/npm/npm-package.ts'
import type { Placed } from '../../../images/npm/package-lock.ts'
import type { LockMode, ResolveContext } from '../source.ts'
import { type LearnOptions, learnFacts } from './learn.ts'
import { folderLock, folderPlan, folderTexts, NPM_LOCK, type NpmLock, pathsOf } from './lock-format.ts'
import { runNpm } from './run-npm.ts'

export interface ResolveOptions extends LearnOptions {
  readonly env: NodeJS.ProcessEnv
  readonly project: string
}

/** Locks the folders that the mode selects with npm, and checks that their packages can run on the hosts. */
export async function resolveFolders(
  wanted: readonly NpmRequest[],
  current: NpmLock,
  mode: LockMode,
  options: ResolveOptions,
  context: ResolveContext,
): Promise<NpmLock> {
  const folders = new Map(wanted.map((request) => [request.folder, request]))
  const selected = [...folders.values()].filter(({ folder }) => mustResolve(current, folder, mode))
  const resolved: [string, FolderTexts][] = []
  for (const { folder } of selected)
    resolved.push([folder, await resolveFolder(current, folder, mode, options, context)])
  const changed = resolved.filter(([folder, { lock }]) => lock !== current.folders[folder]?.lock)
  const next =
    changed.length === 0 ? current : { ...current, folders: { ...current.folders, ...Object.fromEntries(changed) } }
  const learnt = await learnFacts([...folders.values()], next, options, context)
  for (const request of selected) checkFolder(learnt, request, context)
  return learnt
}

/** Whether npm has to run. Throws UserError for a folder without a `package.json`, or with one that hangar refuses. */
function mustResolve(lock: NpmLock, folder: string, mode: LockMode): boolean {
  const { manifest } = textsOf(lock, folder)
  parseManifest(manifest, pathsOf(folder).manifest)
  if (mode.kind === 'update') return true
  const found = folderLock(lock, folder)
  if (found === undefined) return true
  return mode.kind === 'gone' && [...found.packages.values()].some((each) => isGone(each, mode.gone))
}

function textsOf(lock: NpmLock, folder: string): FolderTexts {
  const texts = folderTexts(lock, folder)
  if (texts !== undefined) return texts
  const { manifest } = pathsOf(folder)
  throw new UserError('lock', `the service '${folder}' takes its packages from npm, but '${manifest}' does not exist`, {
    hint: `create it, for example: {"private": true, "dependencies": {"NAME": "^1.0.0"}}`,
  })
}

async function resolveFolder(
  current: NpmLock,
  folder: string,
  mode: LockMode,
  options: ResolveOptions,
  context: ResolveContext,
): Promise<FolderTexts> {
  const { manifest, lock } = textsOf(current, folder)
  const { manifest: where } = pathsOf(folder)
  const start = mode.kind === 'update' ? undefined : lock
  const from = start !== undefined && mode.kind === 'gone' ? withoutGone(start, mode.gone) : start
  return { manifest, lock: await runNpm({ manifest, lock: from, where }, options, context) }
}

type Gone = Extract<LockMode, { kind: 'gone' }>['gone']

/** Whether no registry has the tarball of a package any more. */
function isGone({ name, version }: Pick<Placed, 'name' | 'version'>, gone: Gone): boolean {
  return gone.some(({ path }) => path === tarballPath(name, version))
}

/** The text of a lock without the packages that are gone, so that npm resolves them again and keeps the others. */
function withoutGone(text: string, gone: Gone): string {
  const lock = JSON.parse(text) as { packages?: Record<string, { name?: string; version?: string }> }
  // npm 6 wrote locks without the field `packages`.
  if (lock.packages === undefined) return text
  const kept = Object.entries(lock.packages).filter(([location, { name, version = '' }]) => {
    const found = name ?? location.split('node_modules/').at(-1) ?? ''
    return location === '' || !isGone({ name: found, version }, gone)
  })
  return JSON.stringify({ ...lock, packages: Object.fromEntries(kept) })
}

/** Refuses packages that exclude Debian's Node.js, and reports what the hosts run without. */
function checkFolder(lock: NpmLock, request: NpmRequest, context: ResolveContext): void {
  const { manifest, lock: where } = pathsOf(request.folder)
  const plan = folderPlan(lock, request.folder)
  if (plan === undefined) throw new Error(`npm wrote a lock that is not for '${manifest}'`)
  const { leftOut, unpacked } = plan
  checkEngines(lock, NPM_LOCK.locked(lock, request) ?? [], request, context)
  for (const { package: left, why } of leftOut)
    context.reporter.notice(`'${where}': left out the optional package '${left.name}@${left.version}', which ${why}`)
  const scripted = unpacked.filter(({ integrity }) => lock.facts.get(integrity)?.build === 'script')
  if (scripted.length > 0)
    context.reporter.notice(
      `'${where}': hangar does not run the install scripts of ${list(scripted.map(({ name }) => name))}`,
    )
}

/** Compares the range of Node.js versions of each package with Debian's Node.js in the same container. */
function checkEngines(
  lock: NpmLock,
  packages: readonly NpmPackage[],
  { folder, beside }: NpmRequest,
  { locked, reporter }: ResolveContext,
): void {
  const paths = pathsOf(folder)
  const nodejs = locked(beside)?.find((each) => each.package === 'nodejs')
  const node = nodejs === undefined ? undefined : nodeVersionIn(nodejs.version)
  if (node === undefined) return
  const own = parseManifest(textsOf(lock, folder).manifest, paths.manifest)
  requireEngines([{ package: folder, version: 'this service', node: own.node }], node, paths.manifest)
  requireEngines(
    packages.filter(({ use }) => use === 'direct'),
    node,
    paths.lock,
  )
  const others = excluding(packages, node).map((each) => `${each.package}@${each.version} (${each.node})`)
  if (others.length > 0)
    reporter.notice(`'${paths.lock}': these packages exclude Debian's Node.js ${node}: ${list(others)}`)
}

function list(names: readonly string[]): string {
  return [...new Set(names)].sort().join(', ')
}
