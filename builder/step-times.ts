import type { Reporter } from '../lib/reporter.ts'

/** How something came about: it was in the store, or took so many milliseconds. */
export type Made = { readonly kind: 'reused' } | { readonly kind: 'built'; readonly took: number }

/** A reporter that passes everything on and remembers how each step ended. */
export function timeSteps(reporter: Reporter): { readonly reporter: Reporter; of(name: string): Made } {
  const made = new Map<string, Made>()
  return {
    of: (name) => made.get(name) ?? { kind: 'reused' },
    reporter: {
      ...reporter,
      step(name, totalBytes) {
        const begun = performance.now()
        const step = reporter.step(name, totalBytes)
        return {
          ...step,
          done(ending) {
            made.set(
              name,
              ending === 'reused' ? { kind: 'reused' } : { kind: 'built', took: performance.now() - begun },
            )
            step.done(ending)
          },
        }
      },
    },
  }
}
