import { type ContainerDefinition, container } from '../../overlays/container.ts'
import type { Service } from '../../overlays/service.ts'

const random = (about: string) => ({ about, value: { kind: 'random', bytes: 16 } }) as const
const given = (about: string) => ({ about, value: { kind: 'given' } }) as const

const CONTAINER: ContainerDefinition = {
  image: { source: 'debian', packages: ['coreutils'], tree: {} },
  user: 'sshd',
  command: ['/usr/bin/true'],
  health: { command: ['/usr/bin/true'], interval: 30 },
}

/** Changes for a test service: it has a secret file, a template with two secrets, and a variable. */
export const WITH_SECRETS: Partial<Service> = {
  secrets: () => ({
    key: random('network key'),
    password: given('password of the mail server'),
    token: given('token'),
  }),
  containers: () => ({
    test: container({
      ...CONTAINER,
      environment: { TOKEN: { kind: 'secret', name: 'token' }, ZONE: 'UTC' },
      files: {
        '/etc/key': { kind: 'secret', name: 'key' },
        '/etc/app.conf': {
          kind: 'template',
          parts: [
            'key = ',
            { kind: 'secret', name: 'key' },
            '\npassword = "',
            { kind: 'secret', name: 'password' },
            '"\n$HOME `id`\n',
          ],
        },
        '/etc/plain': { kind: 'text', text: 'plain\n' },
      },
    }),
  }),
}
