import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isAlive, processIn, type RecordedProcess, thisProcess } from '../../lib/process-liveness.ts'

const named = (word: string) => `${word}-${thisProcess()}-0123456789ab`

/**
 * A process that ended and whose parent never waits for it, as below PID 1 of many containers. It stays a zombie until the
 * test ends. Its start comes from its own shell, before it ends.
 */
async function zombie(): Promise<RecordedProcess> {
  const script = "sh -c 'cat /proc/$$/stat; exec true' & exec sleep 600"
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const pid = Number.parseInt(String(line), 10)
  const fields = String(line)
    .slice(String(line).lastIndexOf(')') + 2)
    .split(' ')
  while (!/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await new Promise(setImmediate)
  return { ...ourselves(), pid, started: fields[19] ?? '' }
}

function ourselves(): RecordedProcess {
  const found = processIn(named('use'))
  if (found === undefined) throw new Error(`'${named('use')}' names no process`)
  return found
}

describe('a process in a file name', () => {
  it('finds the process in a file name after any first word', () => {
    expect(ourselves().pid).toBe(process.pid)
    for (const word of ['container-app', 'native-12-7', 'use']) expect(processIn(named(word))).toEqual(ourselves())
  })

  it.each([['use'], [`work-${process.pid}-0123456789ab`], [`${named('use')}.new`]])(
    'finds no process in the file name %s',
    (name) => {
      expect(processIn(name)).toBeUndefined()
    },
  )

  it('a process is alive while it runs', () => {
    expect(isAlive(ourselves())).toBe(true)
  })

  it('is dead when it ended and its parent did not wait for it', async () => {
    const ended = await zombie()
    // Negative control: the kernel still lists the process with the same start.
    expect(readFileSync(`/proc/${ended.pid}/stat`, 'utf8').trim()).toContain(` ${ended.started} `)
    expect(isAlive(ended)).toBe(false)
  })

  it.each([
    ['whose number another process has now', { started: '1' }, false],
    ['whose number no process has', { pid: 4_194_305 }, false],
    ['of an earlier boot', { boot: 'abcdef' }, false],
    ['of a container that may still run', { pid: 4_194_305, started: '1', namespace: '1' }, true],
    ['of a container of an earlier boot', { namespace: '1', boot: 'abcdef' }, false],
  ])('a process %s: %j, alive: %s', (_, other, expected) => {
    expect(isAlive({ ...ourselves(), ...other })).toBe(expected)
  })
})
