import { describe, expect, it } from 'vitest'
import { isAlive, processIn, type StoreProcess, thisProcess } from '../../../builder/store/process-liveness.ts'

const named = (word: string) => `${word}-${thisProcess()}-0123456789ab`

function ourselves(): StoreProcess {
  const found = processIn(named('use'))
  if (found === undefined) throw new Error(`'${named('use')}' names nobody`)
  return found
}

describe("a process in a file's name", () => {
  it('is found behind whatever stands before it', () => {
    expect(ourselves().pid).toBe(process.pid)
    for (const word of ['container-app', 'native-12-7', 'use']) expect(processIn(named(word))).toEqual(ourselves())
  })

  it.each([['use'], [`work-${process.pid}-0123456789ab`], [`${named('use')}.new`]])('is not in %s', (name) => {
    expect(processIn(name)).toBeUndefined()
  })

  it('lives while it runs', () => {
    expect(isAlive(ourselves())).toBe(true)
  })

  it.each([
    ['whose number another process has by now', { started: '1' }, false],
    ['whose number nobody has', { pid: 4_194_305 }, false],
    ['of another start of the machine', { boot: 'abcdef' }, false],
    ['of a container, where numbers mean others', { pid: 4_194_305, started: '1', namespace: '1' }, true],
    ['of a container before the machine was started anew', { namespace: '1', boot: 'abcdef' }, false],
  ])('%s: %j, lives: %s', (_, other, expected) => {
    expect(isAlive({ ...ourselves(), ...other })).toBe(expected)
  })
})
