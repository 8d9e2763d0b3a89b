import { UserError } from '../../errors.ts'
import type { IdentityContext } from '../keys/host-identity.ts'
import type { LabNeeds, LabSecret } from './lab-secrets.ts'
import { secretRecord } from './records.ts'
import { storeSecret } from './secret-store.ts'
import { hostsWithoutKey, recipientHosts } from './state.ts'

/** The hosts that can decrypt a new value, and those that have no age key in the project yet. */
export interface ChangedSecret {
  readonly secret: LabSecret
  readonly hosts: readonly string[]
  readonly without: readonly string[]
}

/** Gives a secret a new value. */
export async function changeSecret(
  context: IdentityContext,
  secret: LabSecret,
  text: string,
  { unknown }: Pick<LabNeeds, 'unknown'>,
): Promise<ChangedSecret> {
  refuseLineBreaks(secret, text)
  const { project } = context
  const hosts = recipientHosts(project, secret, secretRecord(project, secret.name), unknown)
  await storeSecret(context, secret.name, text, hosts)
  return { secret, hosts, without: hostsWithoutKey(project, secret) }
}

/** podman reads one variable per line. */
function refuseLineBreaks({ name, places }: LabSecret, text: string): void {
  const variable = places.find((place) => place.kind === 'variable')
  if (variable === undefined || !/[\r\n\0]/.test(text)) return
  throw new UserError(
    'secret',
    `the value of the secret '${name}' has line breaks, and the variable '${variable.variable}' of container '${variable.container}' cannot hold them`,
    { hint: 'use a value of one line' },
  )
}
