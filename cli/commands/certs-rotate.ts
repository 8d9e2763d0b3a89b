import type { Command } from '../command.ts'
import { certificateNamed, labCertificates } from '../lab-certificates.ts'

export const certsRotate: Command = {
  name: 'certs rotate',
  group: 'secrets',
  arguments: '<name>',
  summary: 'replace a certificate and its private key',
  details: [
    'The name is HOST-SUBJECT, as in the list of certificates. The former certificate stays valid until it expires,',
    'because hangar publishes no list of revoked certificates: docs/certificates.md says what to do about a stolen key.',
  ],
  options: [],
  examples: [{ about: "replace the key of adama's broker", line: 'npm run certs rotate adama-mosquitto' }],
  async run(context, [name = '']) {
    const { rotateCertificate } = await import('../../builder/certificates/rotate.ts')
    const { rotatedText } = await import('../text/certificates.ts')
    const need = await certificateNamed(await labCertificates(context), name)
    return rotatedText(need, await rotateCertificate(context, need))
  },
}
