import { portOfServer } from '../../../images/server-address.ts'
import type { Use } from '../../container.ts'
import type { AlertMail, AlertReceivers } from '../../lab-facts.ts'
import type { ServiceContext } from '../../service.ts'

/** The receivers of the lab; a webhook of the host file replaces the lab's. */
export function receiversOf(webhook: string | undefined, { lab }: Pick<ServiceContext, 'lab'>): AlertReceivers {
  return { ...lab.facts.alerts, ...(webhook === undefined ? {} : { webhook }) }
}

/** The receiver `owner` in the configuration of alertmanager. */
export function ownerOf({ webhook, mail }: AlertReceivers) {
  return {
    name: 'owner',
    ...(webhook === undefined ? {} : { webhook_configs: [{ url: webhook }] }),
    ...(mail === undefined ? {} : { email_configs: [emailOf(mail)] }),
  }
}

function emailOf({ to, from, server, tls }: AlertMail) {
  // Sends a mail also when an alert ends, as a webhook does by default.
  return { to, from, smarthost: server, require_tls: tls === 'required', send_resolved: true }
}

/** The ports that alertmanager connects to. */
export function connections({ webhook, mail }: AlertReceivers): Use[] {
  const ports = [
    ...(webhook === undefined ? [] : [portOfUrl(new URL(webhook))]),
    ...(mail === undefined ? [] : [portOfServer(mail.server)]),
  ]
  return ports.length === 0 ? [] : [{ internet: [...new Set(ports)].map((port) => ['tcp', port] as const) }]
}

function portOfUrl({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
