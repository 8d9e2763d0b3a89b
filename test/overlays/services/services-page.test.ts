import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Service } from '../../../overlays/service.ts'
import { findService, SERVICES } from '../../../overlays/services/registry.ts'
import { everyService, serviceNamed, testServices } from '../../helpers/host.ts'
import { testService, withTestService } from '../../helpers/test-service.ts'
import { PROJECT } from '../../helpers/toolchain.ts'
import { type DocumentedService, servicesPage } from './services-page.ts'

function documented(): DocumentedService[] {
  const names = Object.keys(SERVICES).sort()
  const rendered = testServices(everyService())
  return names.flatMap((name) => {
    const service = findService(name)
    return service === undefined ? [] : [{ service, rendered: serviceNamed(rendered, name) }]
  })
}

describe('docs/services.md', () => {
  // To refresh the file: npx vitest run --project unit test/overlays/services/services-page.test.ts --update
  it('docs/services.md describes the current services', async () => {
    await expect(servicesPage(documented())).toMatchFileSnapshot(join(PROJECT, 'docs/services.md'))
  })
})

describe('servicesPage', () => {
  it('describes several containers, required options and every kind of use', () => {
    const health = { command: ['/bin/true'], interval: 30 } as const
    const changes: Partial<Service> = {
      options: z.strictObject({
        stick: z.string().default('/dev/null').describe('The device of the radio.'),
        level: z.enum(['low', 'high']).optional().describe('A choice.'),
      }),
      memory: { app: '64 MiB', database: '128 MiB' },
      volumes: {
        test: {
          about: 'the database',
          binding: 'shared',
          owner: 'mosquitto',
          backup: { kind: 'dump', container: 'database', command: ['pg_dump', '-Fc'] },
        },
      },
      containers: () => ({
        app: {
          image: { source: 'oci', reference: 'example.org/app:1' },
          user: 'mosquitto',
          command: [],
          uses: [{ internet: [['tcp', 443]] }, { device: '/dev/radio', missing: 'start' }],
          health,
        },
        database: {
          image: { source: 'npm', folder: 'overlays/services/test' },
          user: 'mosquitto',
          command: [],
          volumes: { '/data': 'test' },
          health,
        },
      }),
    }
    const service = testService(changes)
    const page = servicesPage([{ service, rendered: serviceNamed(withTestService(changes), 'test') }])
    expect(page.split('\n')).toEqual(
      expect.arrayContaining([
        'A service for tests.',
        "services: { test: { memory: { app: '64 MiB', database: '128 MiB' } } },",
        '| `test-app` | image `example.org/app:1` | `mosquitto` | 64 MiB | internet 443/tcp, optional device `/dev/radio` |',
        '| `test-database` | npm packages of `overlays/services/test` | `mosquitto` | 128 MiB | none |',
        '| `stick` | string | `"/dev/null"` | The device of the radio. |',
        '| `level` | string | none | A choice. |',
        '| `test` | the database | 1 GiB | one for both slots | dump by `pg_dump -Fc` |',
        'Metrics: none. Alerts: none. Dashboards: none.',
      ]),
    )
  })
})
