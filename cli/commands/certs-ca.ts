import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { labCertificates } from '../lab-certificates.ts'

export interface CertsCaFlags {
  readonly rotate?: true
  readonly replace?: true
}

export const certsCa: Command<CertsCaFlags> = {
  name: 'certs ca',
  group: 'secrets',
  arguments: '',
  summary: 'show the internal CA of the lab, or replace it',
  details: [
    'A build makes the CA when a service first needs a certificate. A rotation takes three steps, and an update of all',
    'hosts after each: hosts trust a second CA, the second CA issues all certificates, hosts trust only the second CA.',
    'Each --rotate takes the next step, and connections between hosts work all the time.',
  ],
  options: [
    { flags: '--rotate', about: 'take the next step of a rotation' },
    { flags: '--replace', about: 'make a new CA at once, because the key of the CA is stolen' },
  ],
  examples: [
    { about: 'show the CA', line: 'npm run certs ca' },
    { about: 'begin or continue a rotation', line: 'npm run certs ca -- --rotate' },
  ],
  async run(context, _words, { rotate, replace }) {
    const { authorities } = await import('../../builder/certificates/authority.ts')
    const { listAuthorities } = await import('../../builder/certificates/list.ts')
    const { authoritiesText, stepText } = await import('../text/certificates.ts')
    const listed = () => listAuthorities(authorities(context.project), context.now)
    if (rotate && replace) throw usage()
    if (!rotate && !replace) return authoritiesText(listed())
    const { rotateAuthority } = await import('../../builder/certificates/rotate-authority.ts')
    const { ensureForAll } = await import('../../builder/certificates/ensure-all.ts')
    const hosts = await labCertificates(context)
    const step = await rotateAuthority(context, rotate ? 'rotate' : 'replace')
    await ensureForAll(context, hosts)
    const names = hosts.filter(({ certificates }) => certificates.ca === 'used').map(({ name }) => name)
    return stepText(step, listed(), names)
  },
}

function usage(): UserError {
  return new UserError('usage', "cannot combine '--rotate' with '--replace'", { hint: 'use only one of the two flags' })
}
