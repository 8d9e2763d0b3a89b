import type { Command } from '../command.ts'
import { labSecrets } from '../lab-secrets.ts'

export const secrets: Command = {
  name: 'secrets',
  group: 'secrets',
  arguments: '',
  summary: 'list the secrets of the lab, and who can decrypt them',
  details: [
    'Shows which service and hosts use a secret, when its value was made, and for which hosts it is encrypted.',
    'First encrypts secrets again whose hosts changed, if this machine has your age key.',
    "See also 'secrets set', 'secrets generate', 'secrets rotate' and 'secrets edit'.",
  ],
  options: [],
  examples: [{ about: 'list all secrets', line: 'npm run secrets' }],
  async run(context) {
    const { listSecrets } = await import('../../builder/secrets/list.ts')
    const { secretsText } = await import('../text/secrets.ts')
    const { needs } = await labSecrets(context)
    return secretsText(await listSecrets(context, needs))
  },
}
