import type { Command } from '../command.ts'
import { labSecrets, secretNamed } from '../lab-secrets.ts'
import { setTyped } from './secrets-set.ts'

export const secretsRotate: Command = {
  name: 'secrets rotate',
  group: 'secrets',
  arguments: '<name>',
  summary: 'replace the value of a secret by a new one',
  details: [
    'Generates the new value of a random secret, and asks for the new value of any other.',
    'The other slot of a host keeps the former value, and uses it again after a revert.',
  ],
  options: [],
  examples: [{ about: 'replace a leaked secret', line: 'npm run secrets rotate node-red-credentials' }],
  async run(context, [name = '']) {
    const lab = await labSecrets(context)
    const secret = await secretNamed(lab, name)
    if (secret.value.kind === 'given') return setTyped(context, lab, secret)
    const { changeSecret } = await import('../../builder/secrets/change.ts')
    const { randomValue } = await import('../../builder/secrets/generate.ts')
    const { changedText } = await import('../text/secrets.ts')
    return changedText(await changeSecret(context, secret, randomValue(secret), lab.needs))
  },
}
