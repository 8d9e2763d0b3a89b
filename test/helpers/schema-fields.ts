import { z } from 'zod'

/** The path of a field in a schema. Elements of a list have the key `0`, values of a record the key `any`. */
export type FieldPath = readonly string[]

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly element?: z.core.$ZodType
  readonly valueType?: z.core.$ZodType
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
}

const LEAVES = ['string', 'number', 'boolean', 'enum', 'literal']

/** The path of every string of a schema. */
export function stringFields(schema: z.core.$ZodType): FieldPath[] {
  return fieldsOf(schema).flatMap(({ path, schema }) => (schema instanceof z.ZodString ? [path] : []))
}

/** The path of every number of a schema, with its bounds. */
export function numberFields(schema: z.core.$ZodType) {
  return fieldsOf(schema).flatMap(({ path, schema }) =>
    schema instanceof z.ZodNumber ? [{ path, minimum: schema.minValue, maximum: schema.maxValue }] : [],
  )
}

interface Field {
  readonly path: FieldPath
  readonly schema: z.core.$ZodType
}

/** Every field without parts. Throws for a kind of schema that it cannot look into. */
function fieldsOf(schema: z.core.$ZodType, at: FieldPath = []): Field[] {
  const { type, shape, element, valueType, innerType, in: input, options } = schema._zod.def as unknown as Definition
  if (shape !== undefined) return Object.entries(shape).flatMap(([key, each]) => fieldsOf(each, [...at, key]))
  if (element !== undefined) return fieldsOf(element, [...at, '0'])
  if (valueType !== undefined) return fieldsOf(valueType, [...at, 'any'])
  if (options !== undefined) return options.flatMap((each) => fieldsOf(each, at))
  const inner = innerType ?? input
  if (inner !== undefined) return fieldsOf(inner, at)
  if (LEAVES.includes(type)) return [{ path: at, schema }]
  throw new Error(`the schema of '${at.join('.')}' has the type '${type}': add it to test/helpers/schema-fields.ts`)
}

/** A copy of a value with another value at a path. Missing objects and lists are added. */
export function withValue(value: unknown, [key, ...rest]: FieldPath, changed: unknown): unknown {
  if (key === undefined) return changed
  if (key === '0') return [withValue((value as unknown[] | undefined)?.[0], rest, changed)]
  return {
    ...(value as object),
    [key]: withValue((value as Record<string, unknown> | undefined)?.[key], rest, changed),
  }
}
