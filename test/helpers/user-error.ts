import { expect } from 'vitest'
import { UserError } from '../../errors.ts'

/** The UserError that a call throws. The test fails if the call throws none. */
export function userErrorOf(act: () => unknown): UserError {
  try {
    act()
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  return expect.fail('no error')
}
