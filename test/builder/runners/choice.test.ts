import { describe, expect, it } from 'vitest'
import { chooseRunner, type Machine, parseRunner } from '../../../builder/runners/choice.ts'

/** The choice on a machine that offers only the given engines. */
function choiceOn(has: Partial<Machine>) {
  return chooseRunner({ named: undefined, containers: undefined, sandboxProblem: undefined, ...has })
}

const HOST = { variable: '_EXPERIMENTAL_DAGGER_RUNNER_HOST', value: 'tcp://builder:8080' }
const HERE = { program: 'docker', dagger: 'present' } as const
const TO_BE_FETCHED = { program: 'podman', dagger: 'missing' } as const
const PROBLEM = { sandboxProblem: 'unshare failed' }

describe('chooseRunner', () => {
  it('uses a named engine without a fallback', () => {
    const choice = choiceOn({ named: HOST })
    expect(choice).toEqual({
      runner: 'dagger',
      because: "_EXPERIMENTAL_DAGGER_RUNNER_HOST is set to 'tcp://builder:8080'",
      fallback: 'none',
    })
  })

  it('uses an engine on this machine, with sandboxes as the fallback', () => {
    const because = 'docker has the Dagger engine'
    expect(choiceOn({ containers: HERE })).toEqual({ runner: 'dagger', because, fallback: 'local' })
    expect(choiceOn({ containers: HERE, ...PROBLEM })).toEqual({ runner: 'dagger', because, fallback: 'none' })
  })

  it('downloads no engine when sandboxes work, and names the flag that downloads one', () => {
    expect(choiceOn({ containers: TO_BE_FETCHED })).toEqual({
      runner: 'local',
      because: 'podman has no Dagger engine; --runner dagger downloads it',
      fallback: 'none',
    })
  })

  it('downloads an engine when sandboxes do not work', () => {
    expect(choiceOn({ containers: TO_BE_FETCHED, ...PROBLEM })).toEqual({
      runner: 'dagger',
      because: 'sandboxes do not work on this machine (unshare failed), but podman does',
      fallback: 'none',
    })
  })

  it('uses sandboxes without any engine, even when they do not work', () => {
    const because = 'this machine has no Dagger engine'
    expect(choiceOn({})).toEqual({ runner: 'local', because, fallback: 'none' })
    expect(choiceOn(PROBLEM)).toEqual({ runner: 'local', because, fallback: 'none' })
  })
})

describe('parseRunner', () => {
  it.each(['dagger', 'local', 'auto'])('accepts the runner %s', (word) => {
    expect(parseRunner(word, '--runner')).toBe(word)
  })

  it('refuses other runners', () => {
    expect(() => parseRunner('docker', 'HANGAR_RUNNER')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "HANGAR_RUNNER is 'docker', wanted one of: dagger, local, auto",
        hint: 'HANGAR_RUNNER=auto uses a Dagger engine when there is one',
      }),
    )
  })
})
