import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { accounts } from '../../../images/ids.ts'
import { baseLayer } from '../../../images/layers/base/recipe.ts'
import { containerLayer } from '../../../images/layers/container/recipe.ts'
import { hostLayer } from '../../../images/layers/host/recipe.ts'
import type { LayerContext } from '../../../images/layers/layer-recipe.ts'
import { type FileTree, file, symlink } from '../../../images/tree.ts'
import { lockedPackage } from '../../helpers/derivation.ts'

const context: LayerContext = {
  builder: 'amd64',
  target: 'arm64',
  toolchain: { name: 'build', architecture: 'amd64', packages: [] },
  steps: { host: '', container: '', base: '' },
}
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const PEM = privateKey.export({ format: 'pem', type: 'pkcs8' })
const DER = privateKey.export({ format: 'der', type: 'pkcs8' })
const PUBLIC = publicKey.export({ format: 'pem', type: 'spki' })

const WEB = { service: 'web', packages: { target: [], scripts: [] }, npm: [], withoutScripts: [], programs: [] }
const LAYERS: readonly (readonly [string, (tree: FileTree) => unknown])[] = [
  ['host', (tree) => hostLayer(context, { tree, programs: {}, basePaths: { bytes: '{}' } })],
  ['container-web', (tree) => containerLayer(context, { ...WEB, tree }, accounts())],
]

describe.each(LAYERS)('the layer %s', (name, layer) => {
  it.each([
    ['as text', file(PEM, 0o600), 'a PEM private key'],
    ['as bytes', file(DER, 0o600), 'a private key (PKCS #8)'],
  ])('refuses a private key %s that a host or a service describes', (_form, entry, kind) => {
    expect(() => layer({ '/etc/ok': file('text'), '/etc/tls/server.key': entry })).toThrow(
      expect.objectContaining({
        code: 'private',
        message: `layer '${name}' would contain a private key: '/etc/tls/server.key' is ${kind}`,
        hint: 'every reader of the image can read its files; make the key on the host at its first start, below /data',
      }),
    )
  })

  it('accepts public keys, and links to files outside the image', () => {
    const tree = { '/etc/tls/server.pub': file(PUBLIC), '/etc/tls/server.key': symlink('/data/server.key') }
    expect(() => layer(tree)).not.toThrow()
  })
})

it('the base layer refuses a package that makes a private key', () => {
  const packages = [lockedPackage('ssl-cert')]
  expect(() => baseLayer(context, { native: packages, target: packages }, accounts())).toThrow("'ssl-cert' makes")
})

it('a container refuses a package that makes a private key, unless its scripts do not run', () => {
  const locked = [lockedPackage('ssl-cert')]
  const layer = (withoutScripts: readonly string[]) =>
    containerLayer(
      context,
      { ...WEB, tree: {}, packages: { target: locked, scripts: locked }, withoutScripts },
      accounts(),
    )
  expect(() => layer([])).toThrow("'ssl-cert' makes")
  expect(() => layer(['ssl-cert'])).not.toThrow()
})
