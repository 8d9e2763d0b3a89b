import { describe, expect, it } from 'vitest'
import { npmFailure } from '../../../../builder/sources/npm/npm-failure.ts'

describe('npmFailure', () => {
  it("shows npm's own words, without the login of an address", () => {
    const report = { error: { code: 'EOTHER', summary: 'cannot reach https://user:secret@a.example/x', detail: '' } }
    const error = npmFailure(`npm error x\n${JSON.stringify(report)}\nnpm error y`, 'package.json')
    expect(error.message).toBe(
      "npm cannot resolve the packages of 'package.json': EOTHER: cannot reach https://a.example/x",
    )
  })

  it('hides the login of every address, and changes no other text', () => {
    const text = 'GET https://u:a@b@one.example/@lab/x, then http://token@two.example and https://three.example @lab/y'
    expect(npmFailure(text, 'x').message).toContain(
      'GET https://one.example/@lab/x, then http://two.example and https://three.example @lab/y',
    )
  })

  it('shows the last lines if npm wrote no report', () => {
    expect(npmFailure('one\ntwo', 'x').message).toContain('one\n  two')
    expect(npmFailure('', 'x').message).toContain('npm said nothing')
    expect(npmFailure('{"error": {broken', 'x').message).toContain('broken')
  })
})
