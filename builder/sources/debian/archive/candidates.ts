import type { Reason, Refusal } from './failure.ts'
import type { Server, Servers } from './servers.ts'

/** The state of one server for one question. */
export interface Candidate {
  readonly server: Server
  readonly url: string
  /** Failures in a row. */
  failures: number
  /** How often hangar gave up a connection because it was slow. */
  turns: number
  /** Not to be asked before this time. */
  until: number
  reason: Reason | undefined
  isOut: boolean
}

export function candidateFor(server: Server, url: string): Candidate {
  return { server, url, failures: 0, turns: 0, until: 0, reason: undefined, isOut: false }
}

export function refusalOf({ server, url, reason }: Candidate): Refusal[] {
  return reason === undefined ? [] : [{ server: server.kind, url, ...reason }]
}

/** The servers that may still send the file: the mirrors; if none is left, the servers of last resort. */
export function openOf(all: readonly Candidate[], servers: Servers): Candidate[] {
  for (const each of all) {
    const exclusion = each.isOut ? undefined : servers.exclusion(each.server.base)
    if (exclusion === undefined) continue
    each.isOut = true
    each.reason ??= exclusion
  }
  const open = all.filter(({ isOut }) => !isOut)
  const mirrors = open.filter(({ server }) => server.kind === 'mirror')
  return mirrors.length > 0 ? mirrors : open
}

export function freeAt({ server, until }: Candidate, servers: Servers): number {
  return Math.max(until, servers.freeAt(server.base))
}

export function isFree(each: Candidate, servers: Servers): boolean {
  return freeAt(each, servers) <= servers.timing.now()
}

/** The server with the fewest failures; among several the server `instead`, then a fast one, then the first in order. */
export function bestOf(
  free: readonly Candidate[],
  servers: Servers,
  instead: string | undefined,
): Candidate | undefined {
  const bases = free.map(({ server }) => server.base)
  const rank = ({ failures, turns, server: { base } }: Candidate) => {
    const isOutpaced = servers.rates.isOutpaced(
      base,
      bases.filter((each) => each !== base),
    )
    return [failures + turns, base === instead ? 0 : 1, isOutpaced ? 1 : 0, bases.indexOf(base)]
  }
  return [...free].sort((a, b) => compareLists(rank(a), rank(b)))[0]
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((each, index) => each !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
