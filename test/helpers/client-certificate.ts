import { inject } from 'vitest'
import type { ClientTls } from './mqtt.ts'
import { issuedBy, projectAuthority, trustedBy } from './mtls.ts'

/** The certificate of a client from the internal CA of a project: by default of the one that `built-image.ts` has built. */
export async function clientCertificate(subject: string, project = inject('project')): Promise<ClientTls> {
  // The clock of a machine may differ from this computer's by years.
  const period = { from: new Date('2020-01-01'), until: new Date('2036-01-01') }
  const pair = await issuedBy(await projectAuthority(project, process.env), subject, { period })
  return { ...pair, ca: trustedBy(project), servername: 'mosquitto.lab' }
}
