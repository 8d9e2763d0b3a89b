import { type AlertGroup, alertRule } from '../alert.ts'
import type { Offer, Port } from '../offer.ts'

/** The ports of the base: of sshd and of the node exporter. */
export const BASE_PORTS: readonly Port[] = [
  { number: 22, protocol: 'tcp', reach: 'lab', purpose: 'ssh', web: false },
  { number: 9100, protocol: 'tcp', reach: 'lab', purpose: 'metrics of the host', web: true },
]

const BASE_ALERTS: AlertGroup = {
  name: 'host',
  rules: [
    alertRule(
      'UnitFailed',
      'node_systemd_units{state="failed"} > 0',
      '5m',
      '{{ $value }} units failed on {{ $labels.host }}: systemctl --failed',
    ),
    alertRule(
      'UnitRestarting',
      'node_systemd_unit_state{state="activating"} == 1',
      '10m',
      'unit {{ $labels.name }} does not come up on {{ $labels.host }}',
    ),
    alertRule(
      'DiskAlmostFull',
      'node_filesystem_avail_bytes{mountpoint="/data"} / node_filesystem_size_bytes{mountpoint="/data"} < 0.1',
      '15m',
      'less than 10 % of the data volume is free on {{ $labels.host }}',
    ),
    alertRule(
      'VolumeAlmostFull',
      'hangar_volume_used_bytes / hangar_volume_quota_bytes > 0.9',
      '5m',
      'volume {{ $labels.volume }} of {{ $labels.host }} has used more than 90 % of its quota: delete data, or raise disk in the host file',
    ),
    alertRule(
      'FirewallRejects',
      // Other machines often ask for ports that no service has (direction in, service host). They mean nothing.
      'increase(hangar_firewall_rejected_packets_total{direction="out"}[10m]) > 0 or increase(hangar_firewall_rejected_packets_total{direction="in",service!="host"}[10m]) > 0',
      '2m',
      'the firewall of {{ $labels.host }} rejects packets {{ $labels.direction }} of {{ $labels.service }} (user {{ $labels.user }}): journalctl -k --grep hangar-firewall',
    ),
    alertRule(
      'FirewallNotLoaded',
      'hangar_firewall_loaded == 0',
      '1m',
      'the firewall of {{ $labels.host }} is not loaded; only ssh is open: systemctl status nftables',
    ),
    alertRule(
      'MemoryShort',
      'node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05',
      '10m',
      'less than 5 % of memory is available on {{ $labels.host }}',
    ),
    alertRule(
      'SlotLeft',
      'hangar_starts{state="left"} == 1',
      '1m',
      'slot {{ $labels.slot }} of {{ $labels.host }} took the place of the other slot, whose starts failed: npm run status',
    ),
    alertRule(
      'SlotsFail',
      'hangar_starts{state="stays"} == 1',
      '1m',
      'both slots of {{ $labels.host }} fail; slot {{ $labels.slot }} stays: npm run status',
    ),
    alertRule('Hot', 'node_thermal_zone_temp > 80', '5m', '{{ $labels.host }} is hotter than 80 degrees'),
  ],
}

/** The host itself, described like a service: the node exporter, and alerts on its metrics. */
export const BASE_OFFER: Offer = {
  name: 'host',
  ports: BASE_PORTS,
  metrics: [{ job: 'node', port: 9100, path: '/metrics' }],
  alerts: [BASE_ALERTS],
  dashboards: [],
  mqtt: [],
}
