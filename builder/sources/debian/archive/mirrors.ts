import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../../errors.ts'
import { parseControl } from '../../../../images/debian/control.ts'
import { ARCHIVES, type Archive } from '../../../../images/lock.ts'

/** The mirrors of each archive: base URLs without a final slash, in the order in which hangar tries them. */
export type Mirrors = Readonly<Record<Archive, readonly string[]>>

const PUBLIC: Readonly<Record<Archive, string>> = {
  debian: 'http://deb.debian.org/debian',
  'debian-security': 'http://deb.debian.org/debian-security',
}

/**
 * The mirrors of each archive: first those in HANGAR_DEBIAN_MIRROR (`URL` or `archive=URL`, separated by spaces), then
 * those of apt on this machine, then Debian's public mirror. `aptSources` are the URLs that `readAptSources` returns.
 */
export function mirrorsOf(env: NodeJS.ProcessEnv, aptSources: readonly string[]): Mirrors {
  const given = parseSetting(env.HANGAR_DEBIAN_MIRROR ?? '')
  const own = aptSources.map((url) => [archiveOf(url), withoutSlash(url)] as const)
  const listed = (archive: Archive) => {
    const matching = [...given, ...own].filter(([of]) => of === archive).map(([, url]) => url)
    return [...new Set([...matching, PUBLIC[archive]])]
  }
  return { debian: listed('debian'), 'debian-security': listed('debian-security') }
}

/** The URLs of the binary package sources in apt's configuration; empty on a machine without apt. */
export async function readAptSources(directory = '/etc/apt'): Promise<string[]> {
  const parts = await readdir(join(directory, 'sources.list.d')).catch(() => [])
  const files = ['sources.list', ...parts.sort().map((name) => join('sources.list.d', name))]
  const urls = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(directory, name), 'utf8').catch(() => '')
      if (name.endsWith('.list')) return oneLineUrls(text)
      return name.endsWith('.sources') ? deb822Urls(text) : []
    }),
  )
  return urls.flat()
}

function parseSetting(text: string): [Archive, string][] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .flatMap((word) => word.split(/,(?=[a-z-]+=)/))
    .map(parseAssignment)
}

function parseAssignment(word: string): [Archive, string] {
  const [, name, url] = /^(?:([a-z-]+)=)?(.*)$/.exec(word) ?? []
  const archive = ARCHIVES.find((each) => each === (name ?? 'debian'))
  if (archive !== undefined && url !== undefined && isWebUrl(url)) return [archive, withoutSlash(url)]
  throw new UserError('usage', `HANGAR_DEBIAN_MIRROR has '${word}', wanted URL or ARCHIVE=URL`, {
    hint: `the known archives are ${ARCHIVES.join(', ')}; for example HANGAR_DEBIAN_MIRROR=${PUBLIC.debian}`,
  })
}

/** Matches `deb [options] URL suite component…`, as in sources.list(5). */
function oneLineUrls(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)/.exec(line)?.[1] ?? [])
}

function deb822Urls(text: string): string[] {
  return parseControl(text)
    .filter((source) => source.get('enabled')?.toLowerCase() !== 'no' && words(source.get('types')).includes('deb'))
    .flatMap((source) => words(source.get('uris')))
}

/**
 * The archive that the last component of a mirror's path names. Undefined for sources of other vendors and of
 * derivatives.
 */
function archiveOf(url: string): Archive | undefined {
  if (!isWebUrl(url)) return undefined
  const last = new URL(url).pathname
    .split('/')
    .filter((part) => part !== '')
    .at(-1)
  return ARCHIVES.find((archive) => archive === last)
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

function words(field: string | undefined): string[] {
  return (field ?? '').split(/\s+/).filter((word) => word !== '')
}

const SNAPSHOTS = 'https://snapshot.debian.org/archive'
const HALF_A_DAY = 12 * 60 * 60

/**
 * Debian's archive of all earlier packages, for files that no mirror has any more. It takes a snapshot every few hours. The
 * files of a release may be only in the snapshot after its date, or already be replaced in that one: both are tried.
 *
 * @param time of the lock, in seconds since 1970
 */
export function snapshots(time: number): Mirrors {
  const at = (archive: Archive) => [time + HALF_A_DAY, time].map((each) => `${SNAPSHOTS}/${archive}/${stamp(each)}`)
  return { debian: at('debian'), 'debian-security': at('debian-security') }
}

/** The form of a time in a snapshot's URL: `20260912T075541Z`. */
function stamp(time: number): string {
  return new Date(time * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}
