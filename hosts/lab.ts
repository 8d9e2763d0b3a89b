import { defineLab } from './schema/lab-file.ts'

export const lab = defineLab({
  domain: 'lab',
  networks: {
    home: { vlan: 10, subnet: '10.0.10.0/24', gateway: '10.0.10.1' },
  },
  // Each host collects its own metrics and alerts. The names prometheus.lab and alertmanager.lab lead to Adama.
  providers: { prometheus: 'adama', alertmanager: 'adama' },
})
