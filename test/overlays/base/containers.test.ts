import { describe, expect, it } from 'vitest'
import { containerFiles } from '../../../overlays/base/containers.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'

const tree = containerFiles(['mosquitto', 'prometheus'])

describe('podman', () => {
  it('podman finds each image in its own layer', () => {
    const [stores] = linesAt(tree, '/etc/containers/storage.conf').filter((line) => line.startsWith('additional'))
    const both = '"/run/hangar/layers/container-mosquitto", "/run/hangar/layers/container-prometheus"'
    expect(stores).toBe(`additionalimagestores = [${both}]`)
  })

  it('podman has no image stores on a host without services', () => {
    expect(linesAt(containerFiles([]), '/etc/containers/storage.conf')).toContain('additionalimagestores = []')
  })

  it('podman accepts only images of the slot', () => {
    const policy = JSON.parse(textAt(tree, '/etc/containers/policy.json'))
    expect(policy.default).toEqual([{ type: 'reject' }])
    expect(Object.keys(policy.transports)).toEqual(['containers-storage'])
    expect(textAt(tree, '/etc/containers/registries.conf')).toContain('unqualified-search-registries = []\n')
  })

  it('podman deletes its writable storage at boot', () => {
    const [storage] = linesAt(tree, '/etc/containers/storage.conf').filter((line) => line.startsWith('graphroot'))
    const graphroot = storage?.match(/"(.*)"/)?.[1]
    expect(linesAt(tree, '/etc/tmpfiles.d/hangar-containers.conf')).toContain(`R! ${graphroot}`)
  })
})
