import { inject } from 'vitest'
import type { ClientTls } from './mqtt.ts'
import { issuedBy, projectAuthority, trustedBy } from './mtls.ts'

/** The certificate of a client from the internal CA of a project: by default of the one that `built-image.ts` has built. */
export async function clientCertificate(subject: string, project = inject('project')): Promise<ClientTls> {
  const pair = await issuedBy(await projectAuthority(project, process.env), subject)
  return { ...pair, ca: trustedBy(project), servername: 'mosquitto.lab' }
}
