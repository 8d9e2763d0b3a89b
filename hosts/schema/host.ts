import type { z } from 'zod'
import { UserError } from '../../errors.ts'
import { nearest } from '../../images/nearest.ts'
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
  const name = typeof file?.name === 'string' ? file.name : '?'
  const { schema } = platformOf(name, file?.board, platforms)
  const parsed = schema.safeParse(file)
  if (!parsed.success) throw hostError(name, schema, parsed.error.issues[0])
  return parsed.data
}

/** The parts of a platform that its host files need. */
type Boards = Pick<Platform<z.ZodType<AnyHost>>, 'boards' | 'schema'>

function platformOf(name: string, board: unknown, platforms: readonly Boards[]): Boards {
  const found = platforms.find(({ boards }) => boards.some((each) => each === board))
  if (found !== undefined) return found
  const known = platforms.flatMap(({ boards }) => boards)
  const meant = nearest(String(board), known)
  throw new UserError('host', `hosts/${name}.ts at 'board': '${String(board)}' is not a board that hangar supports`, {
    hint: `${meant === undefined ? '' : `did you mean '${meant}'? `}supported boards: ${known.join(', ')}`,
    cause: { path: ['board'] },
  })
}

type Issue = z.core.$ZodIssue | undefined

function hostError(name: string, schema: z.core.$ZodType, issue: Issue): UserError {
  const where = `hosts/${name}.ts`
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') return unknownKey(where, allowedKeys(schema, path), path, issue)
  const of = path === '' ? '' : ` at '${path}'`
  return new UserError('host', `${where}${of}: ${issue?.message ?? 'is not a host file'}`, {
    hint: 'an editor shows the values that each field takes; npm run types checks all host files',
    cause: issue,
  })
}

function unknownKey(
  where: string,
  allowed: readonly string[],
  path: string,
  issue: z.core.$ZodIssueUnrecognizedKeys,
): UserError {
  const key = issue.keys[0] ?? ''
  const meant = nearest(key, allowed)
  return new UserError('host', `${where}: unknown key '${path === '' ? key : `${path}.${key}`}'`, {
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
