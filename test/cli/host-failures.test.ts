import { describe, expect, it } from 'vitest'
import { failureOf, forEveryHost } from '../../cli/host-failures.ts'
import { UserError } from '../../errors.ts'

const HOW = { outcome: 'hangar built nothing', hint: 'correct them' }
const wrong = (host: string) => new UserError('host', `hosts/${host}.ts:3: no board\nat all`, { hint: `name ${host}` })

describe('failures of several hosts', () => {
  it('the failure of one host is thrown as it is', () => {
    const error = wrong('adama')
    expect(failureOf([{ host: 'adama', error }], HOW)).toBe(error)
  })

  it('several failures become one error with the message and the hint of each host', () => {
    const failures = ['adama', 'apollo'].map((host) => ({ host, error: wrong(host) }))
    expect(failureOf(failures, HOW)).toMatchObject({
      code: 'host',
      message: [
        '2 hosts failed; hangar built nothing',
        '  adama: hosts/adama.ts:3: no board',
        '    at all',
        '    hint: name adama',
        '  apollo: hosts/apollo.ts:3: no board',
        '    at all',
        '    hint: name apollo',
      ].join('\n'),
      hint: 'correct them',
    })
  })

  it('a failure of one host does not keep hangar from looking at the others', async () => {
    const seen: string[] = []
    const use = async (host: string) => {
      seen.push(host)
      if (host !== 'starbuck') throw wrong(host)
    }
    const failure = forEveryHost(['adama', 'starbuck', 'apollo'], HOW, use)
    await expect(failure).rejects.toMatchObject({ message: expect.stringMatching(/^2 hosts failed.*adama.*apollo/s) })
    expect(seen).toEqual(['adama', 'starbuck', 'apollo'])
    expect(await forEveryHost(['a', 'b'], HOW, async (host) => `${host}!`)).toEqual(['a!', 'b!'])
  })

  it('an internal error ends the loop at once', async () => {
    const use = () => Promise.reject(new TypeError('a bug'))
    await expect(forEveryHost(['adama', 'apollo'], HOW, use)).rejects.toThrow(TypeError)
  })
})
