import { describe, expect, it } from 'vitest'
import type { HostKeys, TimedBuild } from '../../../cli/build-host.ts'
import { buildText } from '../../../cli/text/build.ts'
import { digestOf } from '../../../images/digest.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
import { publicLine } from '../../helpers/public-line.ts'

function textWith(keys: HostKeys): string[] {
  const built: TimedBuild['built'] = {
    generation: 3,
    root: digestOf('x'),
    slotSize: 1e6,
    layers: [],
    outputs: 'written',
  }
  return buildText('tiny', { built, took: 1000, keys }).split('\n')
}

describe('the summary of a build', () => {
  it('shows the fingerprint and the name of each key of the host file', () => {
    const [login, signing] = [publicLine(1, 'me at home'), publicLine(2, '')]
    const lines = textWith({ login: [login], signing: [signing] }).map((line) => line.split(/\s{2,}/))
    expect(lines).toContainEqual(['may log in', fingerprintOf(login), 'me at home'])
    expect(lines.some(([use, shown = '']) => use === 'may sign' && shown.trim() === fingerprintOf(signing))).toBe(true)
  })

  it('has no table of keys for a host file without keys', () => {
    expect(textWith({ login: [], signing: [] }).join('\n')).not.toContain('fingerprint')
  })
})
