/** Numbers from 0 up to 1, always the same ones. */
export type Random = () => number

/** A generator of its own for each place, so that what is tried there does not depend on what was tried before. */
export function randomFrom(seed: number, place: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b)) >>> 0
  // A Weyl sequence through the finaliser of MurmurHash3.
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

/** So many of the items, or all where there are no more. */
export function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  if (items.length <= count) return [...items]
  const left = [...items]
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0] as T)
}
