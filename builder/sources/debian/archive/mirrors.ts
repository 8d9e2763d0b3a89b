import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../../errors.ts'
import { parseControl } from '../../../../images/debian/control.ts'
import { ARCHIVES, type Archive } from '../../../../images/lock.ts'

/** Archive -> base URLs without a slash at the end, in the order in which they are tried. */
export type Mirrors = Readonly<Record<Archive, readonly string[]>>

const PUBLIC: Readonly<Record<Archive, string>> = {
  debian: 'http://deb.debian.org/debian',
  'debian-security': 'http://deb.debian.org/debian-security',
}

/**
 * The setting HANGAR_DEBIAN_MIRROR first (`URL` or `archive=URL`, several with spaces between), then the machine's own
 * apt sources, then Debian's public mirror. `aptSources` are URLs as `readAptSources` finds them.
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

/** URLs of every binary source that apt is configured with; none on a machine without apt. */
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
    hint: `archives are ${ARCHIVES.join(', ')}; for example HANGAR_DEBIAN_MIRROR=${PUBLIC.debian}`,
  })
}

/** `deb [options] URL suite component…`, as in sources.list(5). */
function oneLineUrls(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)/.exec(line)?.[1] ?? [])
}

function deb822Urls(text: string): string[] {
  return parseControl(text)
    .filter((source) => source.get('enabled')?.toLowerCase() !== 'no' && words(source.get('types')).includes('deb'))
    .flatMap((source) => words(source.get('uris')))
}

/** Known by the last part of the path: sources of other vendors and derivatives are left alone. */
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
