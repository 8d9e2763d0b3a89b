import { describe, expect, it } from 'vitest'
import { chooseRunner, type Machine, parseRunner } from '../../../builder/runners/choice.ts'

/** A machine that has nothing but what is said. */
function choiceOn(has: Partial<Machine>) {
  return chooseRunner({ named: undefined, containers: undefined, sandboxProblem: undefined, ...has })
}

const HOST = { variable: '_EXPERIMENTAL_DAGGER_RUNNER_HOST', value: 'tcp://builder:8080' }
const HERE = { program: 'docker', dagger: 'here' } as const
const TO_BE_FETCHED = { program: 'podman', dagger: 'to be fetched' } as const
const PROBLEM = { sandboxProblem: 'unshare failed' }

describe('auto', () => {
  it('takes an engine that is named, and no other way', () => {
    const choice = choiceOn({ named: HOST })
    expect(choice).toEqual({
      runner: 'dagger',
      because: "_EXPERIMENTAL_DAGGER_RUNNER_HOST names an engine, 'tcp://builder:8080'",
      otherwise: 'nothing',
    })
  })

  it('takes an engine that is here already, and sandboxes where it cannot be reached', () => {
    const because = "docker has Dagger's engine"
    expect(choiceOn({ containers: HERE })).toEqual({ runner: 'dagger', because, otherwise: 'local' })
    expect(choiceOn({ containers: HERE, ...PROBLEM })).toEqual({ runner: 'dagger', because, otherwise: 'nothing' })
  })

  it('fetches no engine where sandboxes will do, and says how it could', () => {
    expect(choiceOn({ containers: TO_BE_FETCHED })).toEqual({
      runner: 'local',
      because: "podman answers, but Dagger's engine is not here; --runner dagger fetches it",
      otherwise: 'nothing',
    })
  })

  it('fetches one where there is no other way', () => {
    expect(choiceOn({ containers: TO_BE_FETCHED, ...PROBLEM })).toEqual({
      runner: 'dagger',
      because: 'podman answers, and no sandbox can be made here: unshare failed',
      otherwise: 'nothing',
    })
  })

  it('is local on a machine with nothing, which then says what it lacks', () => {
    const because = 'no Dagger engine is named, and none is here'
    expect(choiceOn({})).toEqual({ runner: 'local', because, otherwise: 'nothing' })
    expect(choiceOn(PROBLEM)).toEqual({ runner: 'local', because, otherwise: 'nothing' })
  })
})

describe('a word for a runner', () => {
  it.each(['dagger', 'local', 'auto'])('may be %s', (word) => {
    expect(parseRunner(word, '--runner')).toBe(word)
  })

  it('may be nothing else', () => {
    expect(() => parseRunner('docker', 'HANGAR_RUNNER')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "HANGAR_RUNNER is 'docker', wanted one of: dagger, local, auto",
        hint: 'HANGAR_RUNNER=auto takes a Dagger engine where there is one',
      }),
    )
  })
})
