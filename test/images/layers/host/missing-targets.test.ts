import { describe, expect, it } from 'vitest'
import { missingTargets } from '../../../../images/layers/host/missing-targets.ts'

const BASE = {
  '/lib': 'usr/lib',
  '/usr/lib/systemd/system/ssh.service': '',
  '/usr/lib/loop-a': 'loop-b',
  '/usr/lib/loop-b': 'loop-a',
  '/usr/share/zoneinfo/Europe/Zurich': '',
  '/usr/share/zoneinfo/localtime': '/etc/localtime',
  '/usr/bin/true': '',
}
const missing = (host: Record<string, string>, units: Record<string, string> = {}) =>
  missingTargets(host, BASE, units).map(({ target }) => target)

describe('the links of the host layer', () => {
  it.each([
    ['a file of base', '/usr/share/zoneinfo/Europe/Zurich'],
    ['a file of base through a link to a directory', '/lib/systemd/system/ssh.service'],
    ['a relative path', '../usr/bin/true'],
    ['another link of the host layer', '/etc/good'],
    ['a device', '/dev/null'],
    ['a file that appears at boot', '../run/systemd/resolve/stub-resolv.conf'],
  ])('may lead to %s', (_what, target) => {
    expect(missing({ '/etc/link': target, '/etc/good': '/usr/bin/true' })).toEqual([])
  })

  it.each([
    ['a file that no layer has', '/usr/share/zoneinfo/US/Pacific'],
    ['a file behind a link to a directory', '/lib/systemd/system/sshd.service'],
    ['a relative path outside of the root', '../../usr/bin/false'],
    ['links in a circle', '/usr/lib/loop-a'],
    ['a name that every object has', '/constructor'],
    ['a directory whose name only begins like one that appears at boot', '/runner/file'],
  ])('are missing if they lead to %s', (_what, target) => {
    expect(missing({ '/etc/localtime': target })).toEqual([target])
  })
})

describe('the programs of units', () => {
  const unit = (line: string) => missing({ '/etc/a.service': '' }, { '/etc/a.service': `[Service]\n${line}\n` })

  it.each([
    'ExecStart=/usr/bin/true',
    'ExecStartPre=-/usr/bin/true --option',
    'ExecStop=@/usr/bin/true name',
    'ExecStart=',
  ])('are present in %s', (line) => {
    expect(unit(line)).toEqual([])
  })

  it.each(['ExecStart=/usr/bin/false', 'ExecStartPre=-/usr/bin/false --option', 'ExecStopPost=+!/usr/bin/false'])(
    'are missing in %s',
    (line) => {
      expect(unit(line)).toEqual(['/usr/bin/false'])
    },
  )
})
