import type { Progress } from '../../lib/reporter.ts'

export interface ListedProgress extends Progress {
  /** `NAME` or `NAME: failed`, in the order in which the steps ended. */
  readonly ended: string[]
  readonly notices: string[]
  /** The bytes that a step counted, and the total that it announced. */
  readonly bytes: Map<string, { advanced: number; total: number | undefined }>
}

/** Progress that records every call. */
export function listProgress(): ListedProgress {
  const ended: string[] = []
  const notices: string[] = []
  const bytes: ListedProgress['bytes'] = new Map()
  return {
    ...{ ended, notices, bytes },
    step(name, total) {
      const counted = { advanced: 0, total }
      bytes.set(name, counted)
      return {
        advance: (more) => {
          counted.advanced += more
        },
        done: () => void ended.push(name),
        failed: () => void ended.push(`${name}: failed`),
      }
    },
    notice: (text) => void notices.push(text),
  }
}
