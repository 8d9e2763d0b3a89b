import { z } from 'zod'
import { canonicalJson } from '../../../images/canonical.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { service } from '../../service.ts'

const PORT = 9093
const CONFIGURATION = '/etc/alertmanager/alertmanager.yml'

export const alertmanager = service({
  name: 'alertmanager',
  about: 'groups alerts and sends them on',
  options: z.strictObject({
    /** Where alerts are posted to as JSON; without it they are only shown. */
    webhook: z.url().optional(),
    /** How often an alert that goes on is sent again. */
    repeatHours: z.number().positive().default(4),
  }),
  container: { source: 'debian', packages: ['prometheus-alertmanager', HTTP_CHECK_PACKAGE], tree: {} },
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'alertmanager' }],
  metrics: () => ({ port: PORT, path: '/metrics' }),
  render: ({ webhook, repeatHours }) => ({
    user: 'alertmanager',
    command: [
      '/usr/bin/prometheus-alertmanager',
      `--config.file=${CONFIGURATION}`,
      '--storage.path=/data',
      `--web.listen-address=:${PORT}`,
      // One of its kind: no cluster.
      '--cluster.listen-address=',
    ],
    configuration: {
      [CONFIGURATION]: `${canonicalJson({
        route: { receiver: 'owner', group_by: ['alertname', 'host'], repeat_interval: `${repeatHours}h` },
        receivers: [{ name: 'owner', ...(webhook === undefined ? {} : { webhook_configs: [{ url: webhook }] }) }],
      })}\n`,
    },
    data: '/data',
    // Needs the configuration to be loaded.
    health: httpAnswers(PORT, '/api/v2/status'),
  }),
})
