import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateContext } from '../../builder/certificates/context.ts'
import type { CertificateHost } from '../../builder/certificates/ensure.ts'
import { makeHostIdentity } from '../../builder/keys/host-identity.ts'
import { type CertificateNeed, parseCertificateSubject } from '../../images/certificates/need.ts'
import type { IpAddress } from '../../images/ip-address.ts'
import { parseHostName } from '../../images/names.ts'
import { type Listed, listReporter } from './reporter.ts'

export const NOW = new Date('2026-11-25T08:00:00Z')

const DAY = 86_400_000

export function daysAfter(days: number, from = NOW): Date {
  return new Date(from.getTime() + days * DAY)
}

/** A need of the host `tiny`: a server that is also a client, with the names of its host. */
export function certificateNeed(changes: Partial<CertificateNeed> = {}): CertificateNeed {
  return {
    host: parseHostName('tiny'),
    subject: parseCertificateSubject('mosquitto'),
    usages: ['client', 'server'],
    names: {
      dns: ['localhost', 'mosquitto.lab', 'tiny', 'tiny.lab'],
      addresses: ['127.0.0.1', '192.0.2.10', '::1'] as IpAddress[],
    },
    ...changes,
  }
}

export function certificateHost(...needs: CertificateNeed[]): CertificateHost {
  return { name: 'tiny', certificates: { ca: 'used', needs } }
}

export interface CertificateLab extends CertificateContext {
  readonly reporter: Listed
}

/** A project below `directory` with the identity of the host `tiny`, and an owner's key. */
export async function certificateLab(directory: string, env: NodeJS.ProcessEnv = {}): Promise<CertificateLab> {
  mkdirSync(join(directory, 'hosts'))
  const context = {
    ...{ project: directory, env: { XDG_CONFIG_HOME: join(directory, 'config') }, now: NOW },
    reporter: listReporter(),
  }
  await makeHostIdentity(context, 'tiny')
  return { ...context, env: { ...context.env, ...env }, reporter: listReporter() }
}
