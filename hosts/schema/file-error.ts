import type { z } from 'zod'
import { UserError } from '../../errors.ts'
import { nearest } from '../../images/nearest.ts'
import { quoted } from '../../images/quoted.ts'

type Issue = z.core.$ZodIssue | undefined

/** A file that a schema refuses: `hosts/adama.ts`, a host file. */
export interface ParsedFile {
  readonly where: string
  readonly what: string
}

/**
 * The error for a file that a schema refuses. The cause names the path of the key, so that the loader of the file finds the
 * line.
 */
export function fileError(file: ParsedFile, schema: z.core.$ZodType, issues: readonly z.core.$ZodIssue[]): UserError {
  // A mistyped key is also missing under its right name, and the mistyped one is what the owner has to change.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') return unknownKey(file.where, allowedKeys(schema, path), path, issue)
  const of = path === '' ? '' : ` at '${path}'`
  const reason = issue === undefined ? `is not a ${file.what}` : reasonOf(issue)
  return new UserError('host', `${file.where}${of}: ${reason}`, {
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

export function unknownKey(
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
export function allowedKeys(schema: z.core.$ZodType, path: string): string[] {
  let at = schema
  for (const part of path.split('.').filter(Boolean)) at = partOf(at, part) ?? at
  return Object.keys(definitionOf(at).shape ?? {})
}

function partOf(schema: z.core.$ZodType, key: string): z.core.$ZodType | undefined {
  const { shape, valueType } = definitionOf(schema)
  return shape?.[key] ?? valueType
}

interface Definition {
  /** The fields of an object. */
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  /** The values of a record. */
  readonly valueType?: z.core.$ZodType
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
}

/** The definition of an object or record. Looks through defaults (`innerType`) and transforms (`in`). */
function definitionOf(type: z.core.$ZodType): Definition {
  const definition = type._zod.def as Definition
  const inner = definition.innerType ?? definition.in
  return inner === undefined ? definition : definitionOf(inner)
}
