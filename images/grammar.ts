import { z } from 'zod'
import { UserError } from '../errors.ts'

/**
 * The schema of a string that has a grammar. `parse` returns the text unchanged, or throws a UserError whose message names
 * the value and the reason.
 */
export function grammar<Text extends string>(parse: (text: string) => Text): z.ZodType<Text, string> {
  const schema = z.string().superRefine((text, context) => void parsed(parse, text, [], context))
  return schema as unknown as z.ZodType<Text, string>
}

/** The schema of one string or a list of strings that have a grammar. Its value is the list of what `parse` returns. */
export function oneOrMore<Value>(parse: (text: string) => Value) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `Invalid input: expected string or a list of strings, received ${input === null ? 'null' : typeof input}`
  return z
    .union([z.string(), z.array(z.string())], { error })
    .transform((given, context): readonly Value[] =>
      typeof given === 'string'
        ? parsed(parse, given, [], context)
        : given.flatMap((text, index) => parsed(parse, text, [index], context)),
    )
}

/** The parsed value; none if the text is refused: then the issue names the reason. */
function parsed<Value>(
  parse: (text: string) => Value,
  text: string,
  path: number[],
  context: z.core.$RefinementCtx,
): Value[] {
  try {
    return [parse(text)]
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    context.addIssue({ code: 'custom', path, message: error.message, params: { hint: error.hint } })
    return []
  }
}
