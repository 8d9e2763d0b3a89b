import type { Command } from '../command.ts'
import { labCertificates } from '../lab-certificates.ts'

export const certsIssue: Command = {
  name: 'certs issue',
  group: 'secrets',
  arguments: '',
  summary: 'issue and renew the certificates of all hosts',
  details: [
    'Makes the CA of the lab at first use. Issues certificates that are missing or unusable, and renews those of which a',
    'third of the lifetime is left, as a build does. Commit hosts/certificates and hosts/secrets afterwards.',
  ],
  options: [],
  examples: [{ about: 'issue the certificates that CI needs for a build', line: 'npm run certs issue' }],
  async run(context) {
    const { ensureForAll } = await import('../../builder/certificates/ensure-all.ts')
    const { issuedText } = await import('../text/certificates.ts')
    return issuedText(await ensureForAll(context, await labCertificates(context)))
  },
}
