import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readSteps } from '../../../../builder/assets.ts'
import { readListing } from '../../../../builder/generations/contents.ts'
import { localRunner } from '../../../../builder/runners/local.ts'
import { type Derivation, derivationDigest } from '../../../../images/derivation.ts'
import { digestOf } from '../../../../images/digest.ts'
import { LAYER_FILE } from '../../../../images/image.ts'
import { hostLayer } from '../../../../images/layers/host/recipe.ts'
import { FILES, layerFiles } from '../../../../images/layers/layer-files/recipe.ts'
import { directory, file, symlink } from '../../../../images/tree.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { PROJECT, storeWithToolchain } from '../../../helpers/toolchain.ts'

it('lists the files of a layer with modes, owners, link targets and digests', async () => {
  const given = await storeWithToolchain()
  const { toolchain, store } = given
  const context = { builder: toolchain.architecture, target: 'arm64', toolchain, steps: readSteps(PROJECT) } as const
  const realised = async (derivation: Derivation, name: string) => {
    const outputs = await localRunner(given).realise([derivation], listReporter())
    const found = outputs.get(derivationDigest(derivation))?.[name]
    if (found === undefined) throw new Error(`no '${name}'`)
    return found.digest
  }
  const tree = {
    '/etc/app.conf': file('a = 1\n', 0o640, { uid: 0, gid: 108 }),
    '/var/lib/app': directory(0o700, { uid: 108, gid: 108 }),
    '/etc/link': symlink('app.conf'),
  }
  const layer = await realised(hostLayer(context, { tree, programs: {}, basePaths: { bytes: '{}' } }), LAYER_FILE)
  const listing = await realised(layerFiles(context, 'test', layer), FILES)
  const listed = await readListing(join(store.path(listing)))
  expect([...listed.keys()]).toEqual(['/etc', '/etc/app.conf', '/etc/link', '/var', '/var/lib', '/var/lib/app'])
  const conf = {
    path: '/etc/app.conf',
    kind: 'file',
    mode: 0o640,
    uid: 0,
    gid: 108,
    size: 6,
    sha256: digestOf('a = 1\n'),
  }
  expect(listed.get('/etc/app.conf')).toEqual(conf)
  expect(listed.get('/var/lib/app')).toEqual({
    path: '/var/lib/app',
    kind: 'directory',
    mode: 0o700,
    uid: 108,
    gid: 108,
  })
  expect(listed.get('/etc/link')).toMatchObject({ kind: 'symlink', target: 'app.conf' })
})
