import { inject } from 'vitest'
import type { ClientTls } from './mqtt.ts'
import { issuedBy, projectAuthority, trustedBy } from './mtls.ts'

/** The certificate of a client from the internal CA of the project whose image the machine runs. */
export async function clientCertificate(subject: string): Promise<ClientTls> {
  const project = inject('project')
  const pair = await issuedBy(await projectAuthority(project, process.env), subject)
  return { ...pair, ca: trustedBy(project), servername: 'mosquitto.lab' }
}
