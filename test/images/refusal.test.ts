import { describe, expect, it } from 'vitest'
import { Refusal, refusalIn, refusalLine } from '../../images/refusal.ts'

describe('a refusal of a step', () => {
  const refusal = new Refusal('carry', "cannot carry:\n  '/usr/bin/x': it is a program", 'line 1\nline 2')

  it('is one line of the log, and comes back with its message and hint', () => {
    expect(refusalLine(refusal)).not.toContain('\n')
    expect(refusalIn(`output of scripts\n${refusalLine(refusal)}\n`)).toEqual(refusal)
  })

  it('is only found in the last line, because scripts write the lines before', () => {
    expect(refusalIn(`${refusalLine(refusal)}\nmore output\n`)).toBeUndefined()
  })

  it('is not found in a log without one, or in a line that is cut', () => {
    expect(refusalIn('')).toBeUndefined()
    expect(refusalIn(refusalLine(refusal).slice(0, -1))).toBeUndefined()
  })
})
