import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../cli/failure.ts'
import { UserError } from '../../errors.ts'

describe('what is printed of an error', () => {
  it('that the owner can mend is its message and its hint, and no stack', () => {
    expect(describeFailure(new UserError('host', "no host 'adma'", { hint: "did you mean 'adama'?" }))).toEqual({
      text: "error: no host 'adma'\nhint: did you mean 'adama'?",
      exitCode: 1,
    })
    expect(describeFailure(new UserError('host', 'no'))).toEqual({ text: 'error: no', exitCode: 1 })
  })

  it('that the owner can mend leaves out what caused it', () => {
    expect(describeFailure(new UserError('host', 'no', { cause: new Error('inner') })).text).not.toContain('inner')
  })

  it('that is ours is its stack, its causes and where to take them', () => {
    const { text, exitCode } = describeFailure(new TypeError('x is undefined', { cause: new Error('inner') }))
    expect(exitCode).toBe(70)
    expect(text).toMatch(/^bug: TypeError: x is undefined\n {4}at .*failure\.test\.ts/)
    expect(text).toContain('caused by: inner')
    expect(text).toContain(`Node ${process.versions.node}`)
  })

  it('that is no error at all is shown as it is', () => {
    expect(describeFailure('oh').text).toMatch(/^bug: oh\nhint: /)
  })

  it('of a full disk is no bug, however deep it lies', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    for (const error of [full, new Error('cannot put', { cause: full })]) {
      const { text, exitCode } = describeFailure(error)
      expect(text).toMatch(/^error: the disk is full: .*\nhint: make room, .*HANGAR_STORE=DIRECTORY$/)
      expect(exitCode).toBe(1)
    }
  })
})
