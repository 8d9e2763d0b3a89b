import type { Command } from '../command.ts'
import { labSecrets } from '../lab-secrets.ts'

export const secretsGenerate: Command = {
  name: 'secrets generate',
  group: 'secrets',
  arguments: '',
  summary: 'generate the random secrets that are missing',
  details: ['Existing secrets stay unchanged. Lists the missing secrets that only you know.'],
  options: [],
  examples: [{ about: 'generate the secrets of a new service', line: 'npm run secrets generate' }],
  async run(context) {
    const { generateMissing } = await import('../../builder/secrets/generate.ts')
    const { secretState } = await import('../../builder/secrets/state.ts')
    const { generatedText } = await import('../text/secrets.ts')
    const { needs, secrets } = await labSecrets(context)
    const made = await generateMissing(context, secrets, needs)
    const missing = secrets.filter((secret) => secretState(context.project, secret, needs).kind === 'missing')
    return generatedText(made, missing)
  },
}
