import { UserError } from '../../errors.ts'

const RUNNERS = ['dagger', 'local', 'auto'] as const
/** What an owner asks for; `auto` is what nobody has to ask for. */
export type RunnerWish = (typeof RUNNERS)[number]

/** What a machine has to run derivations with. */
export interface Machine {
  /** What makes a Dagger engine the owner's own word: a variable and its value. */
  readonly named: { readonly variable: string; readonly value: string } | undefined
  /** A container engine that answers, and whether Dagger's engine and CLI are on this machine already. */
  readonly containers: { readonly program: string; readonly dagger: 'here' | 'to be fetched' } | undefined
  /** Why no sandbox can be made; undefined where one can. */
  readonly sandboxProblem: string | undefined
}

export interface Choice {
  readonly runner: 'dagger' | 'local'
  readonly because: string
  /** Whether the other runner may do it where this one's engine cannot be reached. */
  readonly otherwise: 'local' | 'nothing'
}

/**
 * What `auto` comes to. An engine that is named is meant; one that is here is taken; one that would have to be fetched
 * from the network, to run with all rights, is taken only where there is no other way.
 */
export function chooseRunner({ named, containers, sandboxProblem }: Machine): Choice {
  const otherwise = sandboxProblem === undefined ? 'local' : 'nothing'
  if (named !== undefined) {
    return { runner: 'dagger', because: `${named.variable} names an engine, '${named.value}'`, otherwise: 'nothing' }
  }
  if (containers?.dagger === 'here') {
    return { runner: 'dagger', because: `${containers.program} has Dagger's engine`, otherwise }
  }
  if (sandboxProblem !== undefined && containers !== undefined) {
    const because = `${containers.program} answers, and no sandbox can be made here: ${sandboxProblem}`
    return { runner: 'dagger', because, otherwise: 'nothing' }
  }
  const because =
    containers === undefined
      ? 'no Dagger engine is named, and none is here'
      : `${containers.program} answers, but Dagger's engine is not here; --runner dagger fetches it`
  return { runner: 'local', because, otherwise: 'nothing' }
}

/** A flag's or a variable's word. */
export function parseRunner(text: string, source: string): RunnerWish {
  const found = RUNNERS.find((each) => each === text)
  if (found !== undefined) return found
  throw new UserError('usage', `${source} is '${text}', wanted one of: ${RUNNERS.join(', ')}`, {
    hint: `${source}=auto takes a Dagger engine where there is one`,
  })
}
