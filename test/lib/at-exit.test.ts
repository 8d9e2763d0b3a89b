import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { atExit } from '../../lib/at-exit.ts'
import { childProgram } from '../helpers/child-program.ts'
import { tempDirectory } from '../helpers/temp.ts'

const PROGRAM = `
import { atExit } from './lib/at-exit.ts'
atExit(() => console.log('kept'))
const cancel = atExit(() => console.log('cancelled'))
atExit(() => console.log('also kept'))
cancel()
`

describe('atExit', () => {
  it('uses one listener of the process for any number of calls, and none after all are cancelled', () => {
    const before = process.listenerCount('exit')
    const cancels = Array.from({ length: 20 }, () => atExit(() => undefined))
    expect(process.listenerCount('exit')).toBe(before + 1)
    for (const cancel of cancels) cancel()
    expect(process.listenerCount('exit')).toBe(before)
  })

  it('calls the functions that are not cancelled when the process exits', async () => {
    const program = await childProgram(PROGRAM, await tempDirectory())
    expect(spawnSync(process.execPath, [program], { encoding: 'utf8' }).stdout).toBe('kept\nalso kept\n')
  })
})
