import { type AlertGroup, alertRule } from '../../alert.ts'

/** Every scrape target reports `up`, so that this rule covers the host and all its services. */
export const PROMETHEUS_ALERTS: AlertGroup = {
  name: 'host',
  rules: [alertRule('TargetDown', 'up == 0', '5m', '{{ $labels.job }} on {{ $labels.host }} does not answer')],
}
