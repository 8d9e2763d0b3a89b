import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../cli/failure.ts'
import { UserError } from '../../errors.ts'

describe('describeFailure', () => {
  it('prints message and hint of a user error, without a stack', () => {
    expect(describeFailure(new UserError('host', "no host 'adma'", { hint: "did you mean 'adama'?" }))).toEqual({
      text: "error: no host 'adma'\nhint: did you mean 'adama'?",
      exitCode: 1,
    })
    expect(describeFailure(new UserError('host', 'no'))).toEqual({ text: 'error: no', exitCode: 1 })
  })

  it('leaves out the cause of a user error', () => {
    expect(describeFailure(new UserError('host', 'no', { cause: new Error('inner') })).text).not.toContain('inner')
  })

  it('prints stack, causes and platform of an internal error, and how to report it', () => {
    const { text, exitCode } = describeFailure(new TypeError('x is undefined', { cause: new Error('inner') }))
    expect(exitCode).toBe(70)
    expect(text).toMatch(/^internal error: TypeError: x is undefined\n {4}at .*failure\.test\.ts/)
    expect(text).toContain('caused by: inner')
    expect(text).toContain(`Node ${process.versions.node}`)
  })

  it('prints a thrown value that is not an error', () => {
    expect(describeFailure('oh').text).toMatch(/^internal error: oh\nhint: this is a bug in hangar: report it with /)
  })

  it('treats a full disk as a user error, also as the cause of another error', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    for (const error of [full, new Error('cannot put', { cause: full })]) {
      const { text, exitCode } = describeFailure(error)
      expect(text).toBe(
        'error: cannot write a file: the disk is full\n' +
          'hint: free disk space, or keep the store on another disk: HANGAR_STORE=DIRECTORY',
      )
      expect(exitCode).toBe(1)
    }
  })
})
