import { describe, expect, it } from 'vitest'
import { timeFiles } from '../../../overlays/base/time.ts'
import { textAt } from '../../helpers/file-tree.ts'

describe('timeFiles', () => {
  it('names the time servers of the lab to systemd-timesyncd', () => {
    const tree = timeFiles({ timeServers: ['10.0.10.1', 'ntp.example.org'] })
    expect(textAt(tree, '/etc/systemd/timesyncd.conf.d/lab.conf')).toBe('[Time]\nNTP=10.0.10.1 ntp.example.org\n')
  })

  it("leaves Debian's pool to systemd-timesyncd if the lab has no time servers", () => {
    expect(timeFiles({ timeServers: [] })).toEqual({})
  })
})
