import type { Command } from '../command.ts'
import { labSecrets, secretNamed } from '../lab-secrets.ts'

export const secretsEdit: Command = {
  name: 'secrets edit',
  group: 'secrets',
  arguments: '<name>',
  summary: 'edit the value of a secret in $EDITOR',
  details: [
    'Decrypts the secret to a private file in memory, and encrypts the changed text. Removes the file afterwards.',
    'An editor may keep copies of its own, for example in a history of its clipboard.',
  ],
  options: [],
  examples: [{ about: 'correct a list of users', line: 'npm run secrets edit mosquitto-users' }],
  async run(context, [name = '']) {
    const { openSecret } = await import('../../builder/secrets/secret-store.ts')
    const { changeSecret } = await import('../../builder/secrets/change.ts')
    const { changedText } = await import('../text/secrets.ts')
    const { editPrivately } = await import('../editor.ts')
    const { withoutLineBreak } = await import('../secret-input.ts')
    const lab = await labSecrets(context)
    const secret = await secretNamed(lab, name)
    const before = await openSecret(context, secret.name)
    context.leaveTerminal()
    const edited = await editPrivately({ ...context, name: secret.name, text: before })
    const after = /\n$/.test(before) ? edited : withoutLineBreak(edited)
    if (after === before) return `${secret.name} is unchanged`
    return changedText(await changeSecret(context, secret, after, lab.needs))
  },
}
