import { z } from 'zod'
import { UserError } from '../errors.ts'

/**
 * The schema of a string that has a grammar. `parse` returns the text unchanged, or throws a UserError whose message names
 * the value and the reason.
 */
export function grammar<Text extends string>(parse: (text: string) => Text): z.ZodType<Text, string> {
  const schema = z.string().superRefine((text, context) => {
    try {
      parse(text)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      context.addIssue({ code: 'custom', message: error.message, params: { hint: error.hint } })
    }
  })
  return schema as unknown as z.ZodType<Text, string>
}
