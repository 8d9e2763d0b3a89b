import type { Command } from '../command.ts'
import { labCertificates, needsIn } from '../lab-certificates.ts'

export const certs: Command = {
  name: 'certs',
  group: 'secrets',
  arguments: '',
  summary: 'list the certificates of the lab, and when they expire',
  details: [
    'The internal CA of the lab issues a certificate to each service that declares one. A build issues what is missing,',
    'and renews certificates of which a third of the lifetime is left. This command changes nothing.',
    "See also 'certs issue', 'certs rotate' and 'certs ca'.",
  ],
  options: [],
  examples: [{ about: 'list all certificates', line: 'npm run certs' }],
  async run(context) {
    const { listCertificates } = await import('../../builder/certificates/list.ts')
    const { certificatesText } = await import('../text/certificates.ts')
    return certificatesText(await listCertificates(context, needsIn(await labCertificates(context))))
  },
}
