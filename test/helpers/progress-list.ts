import type { Progress } from '../../lib/reporter.ts'

export interface ListedProgress extends Progress {
  /** `NAME`, or `NAME: failed`, in the order in which steps ended. */
  readonly ended: string[]
  readonly notices: string[]
  /** Bytes that a step counted, and what it said that it would. */
  readonly bytes: Map<string, { advanced: number; total: number | undefined }>
}

/** Progress that keeps what it was told. */
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
