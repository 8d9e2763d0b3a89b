import type { z } from 'zod'
import { UserError } from '../../errors.ts'
import { parseHostName } from '../../images/names.ts'
import { nearest } from '../../images/nearest.ts'
import { quoted } from '../../images/quoted.ts'
import type { AnyHost, Platform } from '../platforms/platform.ts'
import { PLATFORMS } from '../platforms/registry.ts'

/** The argument of `host()` in `hosts/NAME.ts`. */
export type HostFile = z.input<(typeof PLATFORMS)[number]['schema']>

/** Checks a host file and fills in its defaults. Throws a UserError for unknown keys and invalid values. */
export function host(file: HostFile): z.output<(typeof PLATFORMS)[number]['schema']> {
  return parseHost(file, PLATFORMS) as z.output<(typeof PLATFORMS)[number]['schema']>
}

/** Parses a host file with the schema of its board's platform. */
export function parseHost(file: { readonly name?: unknown; readonly board?: unknown }, platforms: readonly Boards[]) {
  const where = `hosts/${isHostName(file?.name) ? file.name : UNKNOWN}.ts`
  const { schema } = platformOf(where, file, platforms)
  const parsed = schema.safeParse(file, { reportInput: true })
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  // A mistyped key is also missing under its right name, and the mistyped one is what the owner has to change.
  throw hostError(where, schema, issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0])
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

type Issue = z.core.$ZodIssue | undefined

function hostError(where: string, schema: z.core.$ZodType, issue: Issue): UserError {
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') return unknownKey(where, allowedKeys(schema, path), path, issue)
  const of = path === '' ? '' : ` at '${path}'`
  return new UserError('host', `${where}${of}: ${issue === undefined ? 'is not a host file' : reasonOf(issue)}`, {
    hint: hintOf(issue) ?? 'an editor shows the values that each field takes; npm run types checks all host files',
    cause: issue,
  })
}

/** The reason why a value is refused. zod's own messages about numbers do not name the value. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') return `${quoted(issue.input)} is too small, wanted ${issue.minimum} or more`
  if (issue.code === 'too_big') return `${quoted(issue.input)} is too large, wanted ${issue.maximum} or less`
  if (issue.code === 'not_multiple_of') return `${quoted(issue.input)} is not a multiple of ${issue.divisor}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  return issue.message
}

/** The hint of a grammar; see `images/grammar.ts`. */
function hintOf(issue: Issue): string | undefined {
  if (issue?.code === 'invalid_key') return hintOf(issue.issues[0])
  return issue?.code === 'custom' ? (issue.params?.hint as string | undefined) : undefined
}

function unknownKey(
  where: string,
  allowed: readonly string[],
  path: string,
  issue: Pick<z.core.$ZodIssueUnrecognizedKeys, 'path' | 'keys'>,
): UserError {
  const key = issue.keys[0] ?? ''
  const meant = nearest(key.slice(0, 100), allowed)
  return new UserError('host', `${where}: unknown key ${quoted(path === '' ? key : `${path}.${key}`)}`, {
    hint: `${meant === undefined ? '' : `did you mean '${meant}'? `}allowed here: ${allowed.join(', ')}`,
    cause: issue,
  })
}

/** The keys of the object at a path of a schema. */
function allowedKeys(schema: z.core.$ZodType, path: string): string[] {
  let at = schema
  for (const part of path.split('.').filter(Boolean)) at = shapeOf(at)[part] ?? at
  return Object.keys(shapeOf(at))
}

/** The fields of an object schema. Looks through defaults (`innerType`) and transforms (`in`). */
function shapeOf(type: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const {
    shape,
    innerType,
    in: input,
  } = type._zod.def as {
    shape?: Record<string, z.core.$ZodType>
    innerType?: z.core.$ZodType
    in?: z.core.$ZodType
  }
  const inner = innerType ?? input
  return shape ?? (inner === undefined ? {} : shapeOf(inner))
}
