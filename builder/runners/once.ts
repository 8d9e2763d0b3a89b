import type { Digest } from '../../images/digest.ts'

/** The function that makes each value once, and returns the same promise for the same key. */
export function once<T, R>(keyOf: (value: T) => Digest, make: (value: T) => Promise<R>): (value: T) => Promise<R> {
  const made = new Map<Digest, Promise<R>>()
  return (value) => {
    const key = keyOf(value)
    const promise = made.get(key) ?? make(value)
    made.set(key, promise)
    return promise
  }
}
