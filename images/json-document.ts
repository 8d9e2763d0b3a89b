/** A checker of values; zod schemas have this form. */
interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/** The reason why a text is not the expected document. */
export type DocumentProblem = 'not-json' | 'other-format' | 'damaged'

export interface JsonDocument<T> {
  /** The values of the field `format` that this version of hangar reads. */
  readonly formats: readonly number[]
  readonly schema: Schema<T>
  /** Makes the error. `reason` completes a sentence that begins with the document: "is not JSON: …". */
  readonly fail: (problem: DocumentProblem, reason: string, cause?: unknown) => Error
}

/**
 * Reads a JSON document that states its format. The format is compared before the schema, so that a document from a
 * newer hangar gets a message about the format and not about an unknown field.
 */
export function parseJsonDocument<T>(text: string, { formats, schema, fail }: JsonDocument<T>): T {
  const json = parseJson(text, fail)
  const format = (json as { format?: unknown } | null)?.format
  if (!formats.some((each) => each === format)) {
    throw fail('other-format', `has format ${JSON.stringify(format)}, this hangar reads format ${formats.join(' or ')}`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw fail('damaged', `is damaged at '${issue?.path.join('.')}': ${issue?.message}`)
}

function parseJson(text: string, fail: JsonDocument<unknown>['fail']): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw fail('not-json', `is not JSON: ${(cause as Error).message}`, cause)
  }
}
