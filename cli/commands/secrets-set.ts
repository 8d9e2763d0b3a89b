import { UserError } from '../../errors.ts'
import type { Command, CommandContext } from '../command.ts'
import { type LabSecrets, labSecrets, secretNamed } from '../lab-secrets.ts'

export const secretsSet: Command = {
  name: 'secrets set',
  group: 'secrets',
  arguments: '<name>',
  surplus: 'refused-by-command',
  summary: 'set the value of a secret',
  details: [
    'Asks for the value, and does not show it. Without a terminal, reads it from standard input, and removes one line',
    'break at the end. Encrypts it to the hosts that use the secret, and to you.',
  ],
  options: [],
  examples: [
    { about: 'type the password of the mail server', line: 'npm run secrets set alertmanager-mail-password' },
    { about: 'keep the network key of another coordinator', line: 'npm run secrets set zigbee2mqtt-network-key' },
  ],
  async run(context, [name = '', ...surplus]) {
    refuseValue(name, surplus)
    const lab = await labSecrets(context)
    return setTyped(context, lab, await secretNamed(lab, name))
  },
}

/** The message quotes no word after the name: it may be the value. */
function refuseValue(name: string, surplus: readonly string[]): void {
  if (surplus.length === 0) return
  throw new UserError('usage', `'secrets set ${name}' takes no value as an argument: other users can read arguments`, {
    hint: `type the value at the prompt: npm run secrets set ${name}; or pass it on standard input. Change the value if your shell keeps a history`,
  })
}

/** Asks for a value, and stores it. */
export async function setTyped(
  context: CommandContext,
  { needs }: LabSecrets,
  secret: LabSecrets['secrets'][number],
): Promise<string> {
  const { readSecret } = await import('../secret-input.ts')
  const { changeSecret } = await import('../../builder/secrets/change.ts')
  const { changedText } = await import('../text/secrets.ts')
  context.leaveTerminal()
  const terminal = { input: process.stdin, output: process.stdout }
  const text = await readSecret(`${secret.name} (${secret.about}): `, terminal, context.signal)
  return changedText(await changeSecret(context, secret, text, needs))
}
