import { type DebianSource, debianSource } from '../../builder/sources/debian/source.ts'
import { NOW } from './small-archive.ts'

/** Debian's archives on one server. Without a server, every fetch fails at once. */
export function debianAt(server?: string, keyring = ''): DebianSource {
  const at = (archive: string) => (server === undefined ? [] : [`${server}/${archive}`])
  return debianSource({
    mirrors: { debian: at('debian'), 'debian-security': at('debian-security') },
    lastResort: async () => undefined,
    keyring: async () => keyring,
    releases: async () => ({}),
    today: () => NOW,
    backoff: 1,
  })
}
