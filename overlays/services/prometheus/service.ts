import { z } from 'zod'
import { canonicalJson } from '../../../images/canonical.ts'
import type { Host } from '../../host-facts.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { type Neighbour, service } from '../../service.ts'

const PORT = 9090
const CONFIGURATION = '/etc/prometheus/prometheus.yml'
const RULES = '/etc/prometheus/rules.yml'

export const prometheus = service({
  name: 'prometheus',
  about: 'metrics of the host and of every service that has some',
  options: z.strictObject({
    /** How long measurements are kept, in days. */
    retentionDays: z.number().int().positive().default(30),
    /** How much room they may take, in GB. */
    retentionSizeGb: z.number().positive().default(6),
    /** Seconds between two readings. */
    interval: z.number().int().min(5).default(15),
  }),
  container: { source: 'debian', packages: ['prometheus', HTTP_CHECK_PACKAGE], tree: {} },
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'prometheus' }],
  metrics: () => ({ port: PORT, path: '/metrics' }),
  render: ({ retentionDays, retentionSizeGb, interval }, host, neighbours) => ({
    user: 'prometheus',
    command: [
      '/usr/bin/prometheus',
      `--config.file=${CONFIGURATION}`,
      '--storage.tsdb.path=/data',
      `--storage.tsdb.retention.time=${retentionDays}d`,
      `--storage.tsdb.retention.size=${retentionSizeGb}GB`,
      `--web.listen-address=:${PORT}`,
    ],
    // JSON is YAML, and has one way to write a value.
    configuration: {
      [CONFIGURATION]: `${canonicalJson(configuration(interval, host, neighbours))}\n`,
      [RULES]: `${canonicalJson(rules())}\n`,
    },
    data: '/data',
    health: httpAnswers(PORT, '/-/healthy'),
  }),
})

function configuration(interval: number, host: Host, neighbours: readonly Neighbour[]) {
  const job = (name: string, port: number, path: string) => ({
    job_name: name,
    metrics_path: path,
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { host: host.name } }],
  })
  const services = neighbours.flatMap(({ name, metrics }) =>
    metrics === undefined ? [] : [job(name, metrics.port, metrics.path)],
  )
  const alertmanager = neighbours.find(({ name }) => name === 'alertmanager')?.ports[0]?.number
  return {
    global: {
      scrape_interval: `${interval}s`,
      evaluation_interval: `${interval}s`,
      external_labels: { host: host.name },
    },
    rule_files: [RULES],
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager}`] }] }] } }),
    scrape_configs: [job('node', 9100, '/metrics'), ...services],
  }
}

/** What an owner wants to hear of without having asked. */
function rules() {
  const alert = (name: string, expr: string, wait: string, summary: string) => ({
    alert: name,
    expr,
    for: wait,
    annotations: { summary },
  })
  return {
    groups: [
      {
        name: 'host',
        rules: [
          alert('TargetDown', 'up == 0', '5m', '{{ $labels.job }} on {{ $labels.host }} does not answer'),
          alert(
            'UnitFailed',
            'node_systemd_units{state="failed"} > 0',
            '5m',
            '{{ $value }} units failed on {{ $labels.host }}: systemctl --failed',
          ),
          alert(
            'UnitRestarting',
            'node_systemd_unit_state{state="activating"} == 1',
            '10m',
            'unit {{ $labels.name }} does not come up on {{ $labels.host }}',
          ),
          alert(
            'DiskAlmostFull',
            'node_filesystem_avail_bytes{mountpoint="/data"} / node_filesystem_size_bytes{mountpoint="/data"} < 0.1',
            '15m',
            'less than 10 % of the data volume is free on {{ $labels.host }}',
          ),
          alert(
            'MemoryShort',
            'node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05',
            '10m',
            'less than 5 % of memory is available on {{ $labels.host }}',
          ),
          alert('Hot', 'node_thermal_zone_temp > 80', '5m', '{{ $labels.host }} is hotter than 80 degrees'),
        ],
      },
    ],
  }
}
