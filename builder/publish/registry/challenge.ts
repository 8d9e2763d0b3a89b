/** How a registry authenticates clients (RFC 9110 §11, and the token authentication of the distribution project). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string }

/** The first supported challenge of a WWW-Authenticate header; undefined without one. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  for (const { scheme, parameters } of challengesIn(header ?? '')) {
    if (scheme === 'basic') return { scheme }
    const { realm, service, scope } = parameters
    if (scheme !== 'bearer' || realm === undefined) continue
    return { scheme, realm, ...(service === undefined ? {} : { service }), ...(scope === undefined ? {} : { scope }) }
  }
  return undefined
}

interface Parsed {
  readonly scheme: string
  readonly parameters: Record<string, string>
}

const PART = /\s*,?\s*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z0-9_-]+)(?=[\s,]|$))/gy

function challengesIn(header: string): Parsed[] {
  const found: Parsed[] = []
  for (const [, name, quoted, bare, scheme] of header.matchAll(PART)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: {} })
    else if (name !== undefined) {
      const last = found.at(-1)
      if (last !== undefined) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
    }
  }
  return found
}
