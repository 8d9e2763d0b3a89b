/** An alerting rule, in Prometheus' format. A type alias, because an interface is no JSON value for TypeScript. */
export type AlertRule = {
  readonly alert: string
  /** A PromQL expression. */
  readonly expr: string
  /** How long the expression must be true before the alert fires: `5m`. */
  readonly for: string
  readonly annotations: { readonly summary: string }
}

/** Rules that Prometheus shows together. Groups of the same name from several services become one group. */
export type AlertGroup = {
  readonly name: string
  readonly rules: readonly AlertRule[]
}

export function alertRule(alert: string, expr: string, wait: string, summary: string): AlertRule {
  return { alert, expr, for: wait, annotations: { summary } }
}

/** One group for each name, in the order in which the names first appear. */
export function mergedGroups(groups: readonly AlertGroup[]): AlertGroup[] {
  const names = [...new Set(groups.map(({ name }) => name))]
  return names.map((name) => ({
    name,
    rules: groups.filter((each) => each.name === name).flatMap(({ rules }) => rules),
  }))
}
