import { describe, expect, it } from 'vitest'
import { isAlive, processIn, type StoreProcess, thisProcess } from '../../../builder/store/process-liveness.ts'

const named = (word: string) => `${word}-${thisProcess()}-0123456789ab`

function ourselves(): StoreProcess {
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
