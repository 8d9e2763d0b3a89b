import type { LockedFile } from '../../images/locked-file.ts'
import type { Fetch } from '../toolchain/toolchain.ts'
import { debian } from './debian/source.ts'
import { npm } from './npm/source.ts'
import type { FetchContext, Source, SourceDefinition, SourceSettings } from './source.ts'

/**
 * All sources. To add one, add a folder beside this file and an entry here. `npm` comes after `debian`, because it
 * compares its packages with Debian's Node.js.
 */
export const SOURCES: readonly SourceDefinition[] = [debian, npm]

/** The source of requests and files that name no source. */
const DEFAULT = debian.name

/** Opens every source with its settings. Throws UserError when a setting is invalid. */
export function openSources(settings: SourceSettings): Promise<Source[]> {
  return Promise.all(SOURCES.map((each) => each.open(settings)))
}

/** The source that a request or a file names. */
export function sourceOf<Some extends { readonly name: string }>(
  sources: readonly Some[],
  { source = DEFAULT }: { readonly source?: string },
): Some {
  const found = sources.find(({ name }) => name === source)
  if (found !== undefined) return found
  throw new Error(`no source '${source}', there are: ${sources.map(({ name }) => name).join(', ')}`)
}

/** Fetches each locked file from its own source. */
export function fetchFrom(sources: readonly Source[], context: FetchContext): Fetch {
  return async (files, signal = context.signal) => {
    const named = new Set(files.map((file) => sourceOf(sources, file)))
    for (const source of named) await source.fetch(itemsOf(source, files), { ...context, signal })
  }
}

/** The requests or files that belong to a source. */
export function itemsOf<Item extends Pick<LockedFile, 'source'>>(
  { name }: { readonly name: string },
  items: readonly Item[],
): Item[] {
  return items.filter(({ source = DEFAULT }) => source === name)
}
