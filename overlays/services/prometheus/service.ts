import { z } from 'zod'
import { canonicalJson } from '../../../images/canonical.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { service } from '../../service.ts'
import { PROMETHEUS_ALERTS } from './alerts.ts'
import { configuration, connections, RULES, rules } from './configuration.ts'

const PORT = 9090
const CONFIGURATION = '/etc/prometheus/prometheus.yml'

export const prometheus = service({
  name: 'prometheus',
  about: 'collects the metrics of the host and of its services',
  options: z.strictObject({
    // Prometheus replaces a longer time by 100 years (cmd/prometheus/main.go), and refuses more than 106,751 days.
    retentionDays: z.number().int().min(1).max(36_500).default(30).describe('Days for which prometheus keeps metrics.'),
    // Prometheus reads no exponents (`1e-7GB`), and 0 is no limit. The write-ahead log alone has files of 128 MiB.
    retentionSizeGb: z
      .number()
      .min(1)
      .max(10_000)
      .multipleOf(0.1)
      .default(6)
      .describe('The most disk space that metrics may use, in GB. Keep it a quarter below the quota in disk.'),
    // A sample is stale after 5 minutes (--query.lookback-delta): two scrapes must fit, so that one may fail.
    interval: z.number().int().min(5).max(150).default(15).describe('Seconds between two scrapes of a target.'),
  }),
  memory: '512 MiB',
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'prometheus', web: true }],
  metrics: () => [{ job: 'prometheus', port: PORT, path: '/metrics' }],
  alerts: () => [PROMETHEUS_ALERTS],
  volumes: {
    prometheus: {
      about: 'metrics',
      binding: 'slot',
      owner: 'prometheus',
      backup: { kind: 'none', reason: 'metrics are large, and old ones are deleted anyway' },
      quota: '8 GiB',
    },
  },
  containers: ({ retentionDays, retentionSizeGb, interval }, context) => ({
    prometheus: {
      image: { source: 'debian', packages: ['prometheus', HTTP_CHECK_PACKAGE], tree: {} },
      user: 'prometheus',
      command: [
        '/usr/bin/prometheus',
        `--config.file=${CONFIGURATION}`,
        '--storage.tsdb.path=/data',
        `--storage.tsdb.retention.time=${retentionDays}d`,
        `--storage.tsdb.retention.size=${retentionSizeGb}GB`,
        `--web.listen-address=:${PORT}`,
      ],
      // JSON is valid YAML, and canonical JSON has one text for each value.
      files: {
        [CONFIGURATION]: { kind: 'text', text: `${canonicalJson(configuration(interval, context))}\n` },
        [RULES]: { kind: 'text', text: `${canonicalJson(rules(context))}\n` },
      },
      volumes: { '/data': 'prometheus' },
      uses: connections(context),
      health: httpAnswers(PORT, '/-/healthy'),
    },
  }),
})
