import { z } from 'zod'
import { canonicalJson } from '../../../images/canonical.ts'
import { grammar } from '../../../images/grammar.ts'
import { parseHttpUrl } from '../../../images/http-url.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { service } from '../../service.ts'
import { webhookUses } from './webhook.ts'

const PORT = 9093
const CONFIGURATION = '/etc/alertmanager/alertmanager.yml'

export const alertmanager = service({
  name: 'alertmanager',
  about: 'groups alerts and sends them on',
  options: z.strictObject({
    webhook: grammar(parseHttpUrl).optional().meta({
      description:
        'The URL that receives each alert as JSON: a server of the internet, a host of the lab, or the address of another machine. Without a URL, alertmanager only shows the alerts.',
      format: 'uri',
    }),
    // Durations of Prometheus are whole numbers (`ParseDuration` of prometheus/common). Alertmanager remembers what it sent
    // for --data.retention, by default 120 hours, and repeats an alert too often with a longer interval.
    repeatHours: z.number().int().min(1).max(120).default(4).describe('Hours until a lasting alert is sent again.'),
  }),
  memory: '64 MiB',
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'alertmanager', web: true }],
  metrics: () => [{ job: 'alertmanager', port: PORT, path: '/metrics' }],
  volumes: {
    alertmanager: {
      about: 'silences, and the alerts that were sent',
      binding: 'slot',
      owner: 'alertmanager',
      backup: { kind: 'files' },
      quota: '256 MiB',
    },
  },
  containers: ({ webhook, repeatHours }, { lab }) => ({
    alertmanager: {
      image: {
        source: 'debian',
        // The CAs are for a webhook at an https URL.
        packages: ['prometheus-alertmanager', 'ca-certificates', HTTP_CHECK_PACKAGE],
        // Only the maintainer script of ca-certificates calls the program openssl.
        assumed: ['openssl'],
        tree: {},
      },
      user: 'alertmanager',
      command: [
        '/usr/bin/prometheus-alertmanager',
        `--config.file=${CONFIGURATION}`,
        '--storage.path=/data',
        `--web.listen-address=:${PORT}`,
        // Turns off clustering by an empty address.
        '--cluster.listen-address=',
      ],
      files: { [CONFIGURATION]: { kind: 'text', text: configuration(webhook, repeatHours) } },
      volumes: { '/data': 'alertmanager' },
      uses: webhookUses(webhook, lab),
      // Alertmanager answers 200 here only after it has loaded its configuration.
      health: httpAnswers(PORT, '/api/v2/status'),
    },
  }),
})

function configuration(webhook: string | undefined, repeatHours: number): string {
  const receiver = { name: 'owner', ...(webhook === undefined ? {} : { webhook_configs: [{ url: webhook }] }) }
  const route = { receiver: 'owner', group_by: ['alertname', 'host'], repeat_interval: `${repeatHours}h` }
  return `${canonicalJson({ route, receivers: [receiver] })}\n`
}
