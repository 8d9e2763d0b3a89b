import type { IdentityOutcome } from '../../builder/keys/host-identity.ts'
import { privateIdentityFile } from '../../images/identity/private-identity.ts'
import { publicIdentityFile } from '../../images/identity/public-identity.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'

const OUTCOME: Readonly<Record<IdentityOutcome['kind'], string>> = {
  made: 'created the identity',
  there: 'the identity exists already; nothing changed',
  finished: 'published the identity that an interrupted run created',
  rotated: 'added a new key; the old keys stay valid',
  adopted: 'adopted the identity that the host created',
}

/** The text of `init`: what it did, the newest keys, the files to commit and the next command. */
export function initText(host: string, { kind, identity }: IdentityOutcome): string {
  const [newest = ''] = identity.ssh
  const files =
    kind === 'adopted' ? publicIdentityFile(host) : `${publicIdentityFile(host)} ${privateIdentityFile(host)}`
  return [
    `${host}: ${OUTCOME[kind]}`,
    `  ssh  ${fingerprintOf(newest)}`,
    ...identity.age.slice(0, 1).map((recipient) => `  age  ${recipient}`),
    ...(kind === 'there' ? [] : [`add to the repository: git add ${files}`]),
    kind === 'rotated'
      ? `next: npm run flash ${host} sends the new key; if nothing else changed, the host does not restart`
      : `next: npm run build:image ${host}`,
  ].join('\n')
}
