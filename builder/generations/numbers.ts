import { UserError } from '../../errors.ts'

/** A generation's number as it was typed. */
export function parseNumber(text: string, host: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UserError('usage', `not a generation's number: '${text}'`, {
    hint: `those that there are: npm run generations ${host}`,
  })
}
