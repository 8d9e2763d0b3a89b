import { afterAll, beforeAll, it } from 'vitest'

/** A test's body. The signal of vitest is not passed on: a restore ends what a body still does. */
export type Body = () => Promise<unknown>

export type Outcome = 'passed' | { readonly skipped: string }

export interface Constraints {
  /** Titles of earlier scenarios of which this one needs the effect. */
  readonly after?: readonly string[]
  /** Whether a failure leaves the machine as it was. Default: it may be in any state. */
  readonly changes?: 'nothing' | 'the machine'
}

export interface Sequence {
  /** Runs one scenario, or skips it and says why. Throws the error of `body`. */
  run(title: string, body: Body, constraints?: Constraints): Promise<Outcome>
}

type State =
  | { readonly kind: 'known' }
  /** The machine is in an unknown state, because this scenario failed. */
  | { readonly kind: 'failed'; readonly title: string }
  /** The machine could not be restored after this scenario had failed. */
  | { readonly kind: 'lost'; readonly title: string }

/**
 * Scenarios that share one machine, in order. After a failed scenario, `restore` brings the machine back to the state in
 * which the first scenario found it; the next scenario that can run then starts there. Without a failure nothing is
 * restored, because it takes minutes.
 */
export function sequenceOf(restore: () => Promise<void>): Sequence {
  /** The scenarios whose effect the machine still has. */
  let inEffect = new Set<string>()
  const ended = new Map<string, 'failed' | 'skipped' | 'passed'>()
  let state: State = { kind: 'known' }
  return {
    async run(title, body, { after = [], changes = 'the machine' } = {}) {
      const reason = missing(after) ?? lost()
      if (reason !== undefined) {
        ended.set(title, 'skipped')
        return { skipped: reason }
      }
      ended.set(title, 'failed')
      if (state.kind === 'failed') await restored(state.title)
      if (changes === 'nothing') return observe(title, body)
      const mine: State = { kind: 'failed', title }
      state = mine
      await body()
      // A body that ended after the limit of its test: a later scenario has the machine by now.
      if (state !== mine) return 'passed'
      state = { kind: 'known' }
      ended.set(title, 'passed')
      inEffect.add(title)
      return 'passed'
    },
  }

  async function observe(title: string, body: Body): Promise<Outcome> {
    state = { kind: 'known' }
    await body()
    ended.set(title, 'passed')
    return 'passed'
  }

  function missing(after: readonly string[]): string | undefined {
    const wanted = after.find((title) => state.kind !== 'known' || !inEffect.has(title))
    if (wanted === undefined) return undefined
    const how = ended.get(wanted)
    if (how === undefined) return `depends on '${wanted}', which did not run`
    if (how !== 'passed') return `depends on '${wanted}', which ${how === 'failed' ? 'failed' : 'was skipped'}`
    return `depends on '${wanted}', whose effect is lost: a later scenario failed and the machine is restored`
  }

  function lost(): string | undefined {
    return state.kind === 'lost' ? `the machine could not be restored after '${state.title}' failed` : undefined
  }

  async function restored(title: string): Promise<void> {
    inEffect = new Set()
    state = { kind: 'lost', title }
    await restore()
  }
}

export interface Scenario {
  /** Registers a test that may change the machine. */
  (title: string, body: Body, constraints?: Pick<Constraints, 'after'>): void
  /** Registers a test that only looks at the machine. */
  observing(title: string, body: Body): void
}

/** The machine that the tests of a file share. */
export interface SharedMachine {
  start(): Promise<void>
  end(): Promise<void>
  /** Runs after a restart that follows a failure. */
  restarted?(): Promise<void>
}

/**
 * A function like `it` for tests that share one machine: see `sequenceOf`. Starts the machine before the first test of the
 * file and ends it after the last one; a restart restores it.
 */
export function scenarios({ start, end, restarted }: SharedMachine): Scenario {
  beforeAll(() => start())
  afterAll(() => end())
  const sequence = sequenceOf(async () => {
    await end()
    await start()
    await restarted?.()
  })
  const register = (title: string, body: Body, constraints: Constraints): void => {
    it(title, async ({ skip }) => {
      const outcome = await sequence.run(title, body, constraints)
      if (outcome === 'passed') return
      console.log(`skipped: ${title}: ${outcome.skipped}`)
      skip(outcome.skipped)
    })
  }
  return Object.assign(
    (title: string, body: Body, constraints: Pick<Constraints, 'after'> = {}) => register(title, body, constraints),
    {
      observing: (title: string, body: Body) => register(title, body, { changes: 'nothing' }),
    },
  )
}
