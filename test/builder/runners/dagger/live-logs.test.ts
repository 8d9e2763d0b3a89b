import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completeLog, liveLogs } from '../../../../builder/runners/dagger/live-logs.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function file(text = '') {
  const path = join(await tempDirectory(), 'log')
  writeFileSync(path, text)
  return path
}

describe('liveLogs', () => {
  it('replaces an old log, and appends output until the log is closed', async () => {
    const log = await file('of the last run\n')
    const logs = liveLogs(['one', 'other'])
    logs.onOutput('1   : withExec sh one\n2   : withExec sh other\n1   : [0.0s] | too early\n')
    logs.open('one', log)
    logs.onOutput('1   : [0.1s] | a\n2   : [0.1s] | nowhere\n1   : [0.2s] | b\n1   : [0.2s] | half')
    expect(readFileSync(log, 'utf8')).toBe('a\nb\n')
    logs.onOutput(' a line\n')
    logs.close('one')
    logs.onOutput('1   : [0.3s] | too late\n')
    expect(readFileSync(log, 'utf8')).toBe('a\nb\nhalf a line\n')
  })
})

describe('completeLog', () => {
  const end = `${'line\n'.repeat(200)}the reason`

  it('uses the output of the engine when the engine did not truncate it', async () => {
    expect(await completeLog(await file('a\n'), 'a\nthe reason')).toBe('a\nthe reason\n')
    expect(await completeLog(await file(), '')).toBe('\n')
  })

  it('adds live lines before output that the engine truncated, and waits for late lines', async () => {
    const log = await file('first\n')
    setTimeout(() => appendFileSync(log, `second\n${end.slice(0, 800)}`), 200)
    expect(await completeLog(log, `[omitting 12 bytes]...nd\n${end}`)).toBe(`first\nsecond\n${end}\n`)
  })

  it('waits as long as late lines arrive', async () => {
    const log = await file('first\n')
    const late = [...Array(8).fill('more\n'), `second\n${end.slice(0, 800)}`]
    const timer = setInterval(() => appendFileSync(log, late.shift() ?? ''), 200)
    const text = await completeLog(log, `[omitting 12 bytes]...nd\n${end}`, 1000)
    clearInterval(timer)
    expect(text).toBe(`first\n${'more\n'.repeat(8)}second\n${end}\n`)
  })

  it("keeps the engine's note about truncated output when no live lines arrive", async () => {
    const cut = `[omitting 12 bytes]...nd\n${end}`
    expect(await completeLog(await file('something else\n'), cut, 200)).toBe(`${cut}\n`)
  })
})
