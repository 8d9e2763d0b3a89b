import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { childProgram } from '../helpers/child-program.ts'
import { tempDirectory } from '../helpers/temp.ts'

/** A command that runs until it is interrupted. Its argument selects the error that it then throws. */
const COMMAND = `
import { withSession } from './cli/session.ts'
import { stopped } from './flash/clock.ts'
await withSession('/', async ({ signal }) => {
  console.log('ready')
  const alive = setInterval(() => {}, 1000)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(alive)
  if (process.argv[2] === 'goes on') throw stopped('the host goes on', 'look at it', signal.reason)
  throw signal.reason
})
`

async function interrupted(how: 'goes on' | 'waits'): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [await childProgram(COMMAND, await tempDirectory()), how], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (data) => (output += String(data)))
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  return { code, output }
}

describe('an interrupted command', () => {
  it('an interrupted command exits with the status of the signal, and explains that the same command continues', async () => {
    const { code, output } = await interrupted('waits')
    expect(code).toBe(130)
    expect(output).toContain('stopped: finished steps are kept; run the same command again to continue\n')
  })

  it('an interrupted command prints its own explanation if the same command cannot continue', async () => {
    const { code, output } = await interrupted('goes on')
    expect(code).toBe(130)
    expect(output).toContain('stopped: the host goes on\nhint: look at it\n')
    expect(output).not.toContain('same command')
  })
})
