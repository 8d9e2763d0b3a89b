import type { z } from 'zod'
import { UserError } from '../../errors.ts'
import { parseHostName } from '../../images/names.ts'
import { nearest } from '../../images/nearest.ts'
import { quoted } from '../../images/quoted.ts'
import type { AnyHost, Platform } from '../platforms/platform.ts'
import { PLATFORMS } from '../platforms/registry.ts'
import { allowedKeys, fileError, unknownKey } from './file-error.ts'

/** The argument of `host()` in `hosts/NAME.ts`. */
export type HostFile = z.input<(typeof PLATFORMS)[number]['schema']>

/** Checks a host file and fills in its defaults, except those of the lab. Throws a UserError for unknown keys and invalid values. */
export function host(file: HostFile): z.output<(typeof PLATFORMS)[number]['schema']> {
  return parseHost(file, PLATFORMS) as z.output<(typeof PLATFORMS)[number]['schema']>
}

/** Parses a host file with the schema of its board's platform. */
export function parseHost(file: { readonly name?: unknown; readonly board?: unknown }, platforms: readonly Boards[]) {
  const where = `hosts/${isHostName(file?.name) ? file.name : UNKNOWN}.ts`
  const { schema } = platformOf(where, file, platforms)
  const parsed = schema.safeParse(file, { reportInput: true })
  if (parsed.success) return parsed.data
  throw fileError({ where, what: 'host file' }, schema, parsed.error.issues)
}

/** Stands for the name in messages about a host file without a valid name. */
const UNKNOWN = '?'

function isHostName(name: unknown): name is string {
  try {
    return typeof name === 'string' && parseHostName(name) === name
  } catch {
    return false
  }
}

/** The parts of a platform that its host files need. */
type Boards = Pick<Platform<z.ZodType<AnyHost>>, 'boards' | 'schema'>

function platformOf(where: string, file: { readonly board?: unknown }, platforms: readonly Boards[]): Boards {
  const board = file?.board
  const found = platforms.find(({ boards }) => boards.some((each) => each === board))
  if (found !== undefined) return found
  refuseMistypedKeys(where, file, platforms)
  const known = platforms.flatMap(({ boards }) => boards)
  const meant = nearest(String(board).slice(0, 100), known)
  throw new UserError('host', `${where} at 'board': ${quoted(board)} is not a board that hangar supports`, {
    hint: `${meant === undefined ? '' : `did you mean '${meant}'? `}supported boards: ${known.join(', ')}`,
    cause: { path: ['board'] },
  })
}

/** Without a board there is no schema, but no platform has an unknown key: it may be the mistyped 'board'. */
function refuseMistypedKeys(where: string, file: object, platforms: readonly Boards[]): void {
  const allowed = [...new Set(platforms.flatMap(({ schema }) => allowedKeys(schema, '')))]
  const keys = Object.keys(file ?? {}).filter((key) => !allowed.includes(key))
  if (keys.length > 0) throw unknownKey(where, allowed, '', { path: [], keys })
}
