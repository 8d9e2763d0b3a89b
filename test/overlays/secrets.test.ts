import { describe, expect, it } from 'vitest'
import { secretFiles } from '../../overlays/secret-files.ts'
import { secretsOf } from '../../overlays/secrets.ts'
import { textAt } from '../helpers/file-tree.ts'
import { testServices } from '../helpers/host.ts'
import { WITH_SECRETS } from '../helpers/secret-service.ts'
import { withTestService } from '../helpers/test-service.ts'

const ALERTMANAGER = { alertmanager: { memory: '64 MiB' } }
const services = withTestService(WITH_SECRETS, ALERTMANAGER)
const containers = services.services.flatMap((each) => each.containers)
const CIPHERTEXTS = { 'test-key': 'KEY\n', 'test-password': 'PASSWORD\n', 'test-token': 'TOKEN\n' }

describe('secretsOf', () => {
  it('lists every secret by its name in the lab, with each place where a container uses it', () => {
    const file = (path: string) => ({ kind: 'file', container: 'test', path })
    expect(secretsOf(services)).toEqual([
      {
        ...{ name: 'test-key', service: 'test', about: 'network key', value: { kind: 'random', bytes: 16 } },
        places: [file('/etc/key'), file('/etc/app.conf')],
      },
      {
        ...{ name: 'test-password', service: 'test', about: 'password of the mail server', value: { kind: 'given' } },
        places: [file('/etc/app.conf')],
      },
      {
        ...{ name: 'test-token', service: 'test', about: 'token', value: { kind: 'given' } },
        places: [{ kind: 'variable', container: 'test', variable: 'TOKEN' }],
      },
    ])
  })

  it('is empty for services without secrets', () => {
    expect(secretsOf(testServices(ALERTMANAGER))).toEqual([])
  })
})

describe('the files of secrets', () => {
  const tree = secretFiles(containers, CIPHERTEXTS)

  it('the host layer has the ciphertexts, the texts between secrets, and the table of what goes where', () => {
    expect(Object.keys(tree).sort()).toEqual([
      '/etc/systemd/system/hangar-secrets.service',
      '/usr/lib/hangar/secrets/table',
      '/usr/lib/hangar/secrets/test-key.age',
      '/usr/lib/hangar/secrets/test-password.age',
      '/usr/lib/hangar/secrets/test-token.age',
      '/usr/lib/hangar/secrets/test/1',
      '/usr/lib/hangar/secrets/test/2',
      '/usr/lib/hangar/secrets/test/3',
    ])
    expect(textAt(tree, '/usr/lib/hangar/secrets/test-key.age')).toBe('KEY\n')
    expect(textAt(tree, '/usr/lib/hangar/secrets/table')).toBe(
      [
        'container test 106',
        'file /etc/app.conf',
        'text test/1',
        'secret test-key',
        'text test/2',
        'secret test-password',
        'text test/3',
        'file /etc/key',
        'secret test-key',
        'variable TOKEN test-token',
        '',
      ].join('\n'),
    )
  })

  it('a host without secrets has none of these files', () => {
    expect(
      secretFiles(
        testServices(ALERTMANAGER).services.flatMap((each) => each.containers),
        {},
      ),
    ).toEqual({})
  })

  it('throws for a secret without a ciphertext, instead of building a host that cannot start', () => {
    expect(() => secretFiles(containers, { ...CIPHERTEXTS, 'test-token': undefined as never })).toThrow(
      "no ciphertext was given for the secret 'test-token'",
    )
  })

  it.each(['/etc/a b', '/etc/../a', '/etc/a\nb'])('refuses the path %j, which the table cannot hold', (path) => {
    const [first] = containers.filter(({ name }) => name === 'test')
    const files = { [path]: { kind: 'secret', name: 'test-key' } } as const
    expect(() => secretFiles(first === undefined ? [] : [{ ...first, files }], CIPHERTEXTS)).toThrow(
      'cannot be the path',
    )
  })
})
