import type { Reporter } from '../lib/reporter.ts'

/** How a step ended: hangar reused an output in the store, or built it in `took` milliseconds. */
export type StepTime = { readonly kind: 'reused' } | { readonly kind: 'built'; readonly took: number }

/** A reporter that forwards every call, and records how each step ended: the longest of several steps with one name. */
export function timeSteps(reporter: Reporter): {
  readonly reporter: Reporter
  readonly of: (name: string) => StepTime
} {
  const times = new Map<string, StepTime>()
  return {
    of: (name) => times.get(name) ?? { kind: 'reused' },
    reporter: {
      ...reporter,
      step(name, totalBytes) {
        const begun = performance.now()
        const step = reporter.step(name, totalBytes)
        return {
          ...step,
          done(ending) {
            const took = performance.now() - begun
            times.set(
              name,
              longest(times.get(name), ending === 'reused' ? { kind: 'reused' } : { kind: 'built', took }),
            )
            step.done(ending)
          },
        }
      },
    },
  }
}

function longest(known: StepTime | undefined, now: StepTime): StepTime {
  if (known?.kind !== 'built') return now
  return now.kind === 'built' && now.took > known.took ? now : known
}
