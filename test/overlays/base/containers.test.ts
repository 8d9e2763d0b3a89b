import { describe, expect, it } from 'vitest'
import { containerFiles } from '../../../overlays/base/containers.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'

const tree = containerFiles(['mosquitto', 'prometheus'])

describe('podman', () => {
  it("finds each service's image in the layer of that service", () => {
    const [stores] = linesAt(tree, '/etc/containers/storage.conf').filter((line) => line.startsWith('additional'))
    const both = '"/run/hangar/layers/container-mosquitto", "/run/hangar/layers/container-prometheus"'
    expect(stores).toBe(`additionalimagestores = [${both}]`)
  })

  it('has an empty list of them on a host without services', () => {
    expect(linesAt(containerFiles([]), '/etc/containers/storage.conf')).toContain('additionalimagestores = []')
  })

  it('takes images from the slot and from nowhere else', () => {
    const policy = JSON.parse(textAt(tree, '/etc/containers/policy.json'))
    expect(policy.default).toEqual([{ type: 'reject' }])
    expect(Object.keys(policy.transports)).toEqual(['containers-storage'])
    expect(textAt(tree, '/etc/containers/registries.conf')).toContain('unqualified-search-registries = []\n')
  })

  it('starts each boot with nothing left of the last one', () => {
    const [storage] = linesAt(tree, '/etc/containers/storage.conf').filter((line) => line.startsWith('graphroot'))
    const graphroot = storage?.match(/"(.*)"/)?.[1]
    expect(linesAt(tree, '/etc/tmpfiles.d/hangar-containers.conf')).toContain(`R! ${graphroot}`)
  })
})
