import { z } from 'zod'
import { canonicalJson } from '../../../images/canonical.ts'
import { grammar } from '../../../images/grammar.ts'
import { parseHttpUrl } from '../../../images/http-url.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import type { AlertReceivers } from '../../lab-facts.ts'
import { service } from '../../service.ts'
import { connections, ownerOf, receiversOf } from './receivers.ts'

const PORT = 9093
const CONFIGURATION = '/etc/alertmanager/alertmanager.yml'

export const alertmanager = service({
  name: 'alertmanager',
  about: 'groups alerts and sends them on',
  options: z.strictObject({
    webhook: grammar(parseHttpUrl).optional().meta({
      description: 'The URL that receives each alert as JSON. Default: `alerts.webhook` of `hosts/lab.ts`.',
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
    },
  },
  containers: ({ webhook, repeatHours }, context) => ({
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
      files: { [CONFIGURATION]: { kind: 'text', text: configuration(receiversOf(webhook, context), repeatHours) } },
      volumes: { '/data': 'alertmanager' },
      uses: connections(receiversOf(webhook, context)),
      // Alertmanager answers 200 here only after it has loaded its configuration.
      health: httpAnswers(PORT, '/api/v2/status'),
    },
  }),
})

function configuration(receivers: AlertReceivers, repeatHours: number): string {
  const route = { receiver: 'owner', group_by: ['alertname', 'host'], repeat_interval: `${repeatHours}h` }
  return `${canonicalJson({ route, receivers: [ownerOf(receivers)] })}\n`
}
