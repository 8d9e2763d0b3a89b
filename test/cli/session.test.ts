import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { childProgram } from '../helpers/child-program.ts'
import { tempDirectory } from '../helpers/temp.ts'

/** A command that works until it is told to stop, and then ends as its argument says. */
const COMMAND = `
import { withSession } from './cli/session.ts'
import { stopped } from './flash/clock.ts'
await withSession('/', async ({ signal }) => {
  console.log('at work')
  const alive = setInterval(() => {}, 1000)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(alive)
  if (process.argv[2] === 'goes on') throw stopped('the host goes on', 'look at it', signal.reason)
  throw signal.reason
})
`

async function interrupted(how: 'goes on' | 'waits'): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [await childProgram(COMMAND, await tempDirectory()), how], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (data) => (said += String(data)))
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  return { code, said }
}

describe('a command that is interrupted', () => {
  it('ends with the status that shells know, and says that the same command goes on', async () => {
    const { code, said } = await interrupted('waits')
    expect(code).toBe(130)
    expect(said).toContain('stopped: what is done is kept, the same command goes on from here\n')
  })

  it('says something else where it does not', async () => {
    const { code, said } = await interrupted('goes on')
    expect(code).toBe(130)
    expect(said).toContain('stopped: the host goes on\nhint: look at it\n')
    expect(said).not.toContain('same command')
  })
})
