import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { liveLogs, wholeLog } from '../../../../builder/runners/dagger/live-logs.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function file(text = '') {
  const path = join(await tempDirectory(), 'log')
  writeFileSync(path, text)
  return path
}

describe('the log of a command that runs in an engine', () => {
  it('begins anew, and has what is heard until it is closed', async () => {
    const log = await file('of the last run\n')
    const logs = liveLogs(['one', 'other'])
    logs.hear('1   : withExec sh one\n2   : withExec sh other\n1   : [0.0s] | too early\n')
    logs.open('one', log)
    logs.hear('1   : [0.1s] | a\n2   : [0.1s] | nowhere\n1   : [0.2s] | b\n1   : [0.2s] | half')
    expect(readFileSync(log, 'utf8')).toBe('a\nb\n')
    logs.hear(' a line\n')
    logs.close('one')
    logs.hear('1   : [0.3s] | too late\n')
    expect(readFileSync(log, 'utf8')).toBe('a\nb\nhalf a line\n')
  })
})

describe('the log of a command that failed', () => {
  const end = `${'line\n'.repeat(200)}the reason`

  it('is what the engine gives, where that is all', async () => {
    expect(await wholeLog(await file('a\n'), 'a\nthe reason')).toBe('a\nthe reason\n')
    expect(await wholeLog(await file(), '')).toBe('\n')
  })

  it('has what was heard before the end that the engine gives of a lot, which may be heard later', async () => {
    const log = await file('first\n')
    setTimeout(() => appendFileSync(log, `second\n${end.slice(0, 800)}`), 200)
    expect(await wholeLog(log, `[omitting 12 bytes]...nd\n${end}`)).toBe(`first\nsecond\n${end}\n`)
  })

  it('says what is missing where it is not heard', async () => {
    const cut = `[omitting 12 bytes]...nd\n${end}`
    expect(await wholeLog(await file('something else\n'), cut, 200)).toBe(`${cut}\n`)
  })
})
