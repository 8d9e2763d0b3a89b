/** An alerting rule, in Prometheus' format. A type alias, because an interface is no JSON value for TypeScript. */
export type AlertRule = {
  readonly alert: string
  /** The condition of the alert, as a PromQL expression. */
  readonly expr: string
  /** The time for which the condition must be true before the alert fires: `5m`. */
  readonly for: string
  readonly annotations: { readonly summary: string }
}

/** Rules that Prometheus shows together. hangar merges groups with the same name from several services. */
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
