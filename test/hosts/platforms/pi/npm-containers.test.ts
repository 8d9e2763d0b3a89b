import { describe, expect, it } from 'vitest'
import { imageOf, npmRequests, setsOf } from '../../../../hosts/platforms/pi/image-of.ts'
import type { Locked } from '../../../../hosts/platforms/platform.ts'
import { NO_NEEDS } from '../../../../images/certificates/need.ts'
import { digestOf } from '../../../../images/digest.ts'
import type { NpmPackage } from '../../../../images/npm/npm-package.ts'
import type { ArchitectureSet } from '../../../../images/package-set.ts'
import type { Part } from '../../../../images/sbom/part.ts'
import { renderAlone, testHost } from '../../../helpers/host.ts'
import { imageContext } from '../../../helpers/image-context.ts'
import { testIntegrity } from '../../../helpers/npm-lock.ts'
import { withTestService } from '../../../helpers/test-service.ts'

describe('a container of npm packages', () => {
  const rendered = {
    host: testHost(),
    certificates: NO_NEEDS,
    services: withTestService({
      containers: () => ({
        test: {
          image: { source: 'npm', folder: 'overlays/services/test' },
          user: 'mosquitto',
          command: ['/usr/bin/node'],
          health: { command: ['/usr/bin/true'], interval: 30 },
        },
      }),
    }),
  }
  const app: NpmPackage = {
    ...{ source: 'npm', package: '@lab/app', version: '1.0.0', path: '@lab/app/-/app-1.0.0.tgz', size: 1 },
    ...{ sha256: digestOf('app'), integrity: testIntegrity('app'), locations: ['node_modules/@lab/app'], bin: {} },
    ...{ license: 'MIT', node: '>=18', use: 'direct', bundled: [] },
  }
  const imageWith = (node: string, debian = '20.19.2+dfsg-1') =>
    imageOf(
      rendered,
      imageContext({
        locked: ((request: ArchitectureSet | { source: 'npm' }) => {
          if (request.source === 'npm') return [{ ...app, node }]
          const packages = imageContext().locked(request as ArchitectureSet)
          return packages.map((each) => (each.package === 'nodejs' ? { ...each, version: debian } : each))
        }) as unknown as Locked,
      }),
    )

  it("requests the folder's packages, beside the Debian packages of the same container", () => {
    const [request] = npmRequests(rendered)
    expect(request).toMatchObject({ source: 'npm', folder: 'overlays/services/test' })
    const set = setsOf(rendered, 'amd64').find((each) => each.set.name === 'container/test')
    expect(set?.set.request).toEqual(['nodejs'])
    expect(request?.beside).toEqual(set)
    expect(set?.set.assumed).toContain('node-corepack')
    const scripts = setsOf(rendered, 'amd64').filter((each) => each.set.name === 'container-scripts/test')
    expect(scripts.map(({ set, architecture }) => [set.request, set.assumed, architecture])).toEqual([
      [['nodejs'], [], 'arm64'],
      [['nodejs'], [], 'amd64'],
    ])
    expect(npmRequests(renderAlone(testHost()))).toEqual([])
  })

  it('has the tarballs, and the list of what to unpack where, as inputs', () => {
    const layer = imageWith('>=18').layers.find(({ name }) => String(name) === 'container-test')
    const inputs = layer?.derivation.inputs ?? {}
    const { source, package: name, version, path, size, sha256, integrity } = app
    const file = { source, package: name, version, path, size, sha256, integrity }
    expect(inputs['npm/@lab+app@1.0.0.tgz']).toEqual({ locked: file })
    const list = inputs['npm.json']
    expect(JSON.parse(list !== undefined && 'bytes' in list ? list.bytes : '')).toEqual([
      { file: 'npm/@lab+app@1.0.0.tgz', locations: ['node_modules/@lab/app'], bin: {}, use: 'direct' },
    ])
    const other = imageOf(renderAlone(testHost()), imageContext()).layers.find(
      ({ name }) => String(name) === 'container-mosquitto',
    )
    expect(Object.keys(other?.derivation.inputs ?? {}).filter((path) => path.startsWith('npm'))).toEqual([])
  })

  it('is in the SBOM with its npm packages', () => {
    const input = imageWith('>=18').sbom.inputs['parts.json']
    const parts = JSON.parse(input !== undefined && 'bytes' in input ? input.bytes : '[]') as Part[]
    expect(parts.filter(({ npm }) => npm !== undefined).map(({ name }) => name)).toEqual(['container-test'])
    expect(parts.find(({ name }) => name === 'container-test')?.npm).toMatchObject([{ package: '@lab/app' }])
  })

  it("refuses a package that excludes Debian's Node.js, also if the lock is older than that Node.js", () => {
    expect(() => imageWith('<20')).toThrow(
      "'overlays/services/test/package-lock.json': '@lab/app@1.0.0' needs Node.js '<20', Debian's package has 20.19.2",
    )
    expect(() => imageWith('<20', '18.20.4+dfsg-1')).not.toThrow()
  })
})
