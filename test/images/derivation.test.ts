import { describe, expect, it } from 'vitest'
import { type Derivation, dependencies, derivationDigest } from '../../images/derivation.ts'
import { derivation, lockedPackage } from '../helpers/derivation.ts'

const plain = derivation({ name: 'plain' })

describe('derivationDigest', () => {
  it('equal derivations have the same digest', () => {
    expect(derivationDigest(derivation({ name: 'plain' }))).toBe(derivationDigest(plain))
  })

  it.each<[string, Partial<Derivation>]>([
    ['the name', { name: 'other' }],
    ['the system', { system: 'arm64' }],
    ['an input', { inputs: { note: { bytes: 'text' } } }],
    ['the command', { command: ['false'] }],
    ['the environment', { env: { A: '1' } }],
    ['the privilege', { privilege: 'all' }],
    ['a package of the toolchain', { toolchain: { ...plain.toolchain, packages: [lockedPackage('dash')] } }],
  ])('the digest of a derivation changes with %s', (_what, change) => {
    expect(derivationDigest(derivation({ name: 'plain', ...change }))).not.toBe(derivationDigest(plain))
  })

  it('the digest of a derivation does not depend on the path of a package in the archive', () => {
    const here = derivation({ inputs: { deb: { locked: lockedPackage('dash') } } })
    const there = derivation({ inputs: { deb: { locked: { ...lockedPackage('dash'), path: 'elsewhere.deb' } } } })
    expect(derivationDigest(here)).toBe(derivationDigest(there))
  })

  it('the digest of a derivation changes when the derivation of an input changes', () => {
    const using = (from: Derivation) => derivation({ name: 'user', inputs: { file: { from, file: 'out' } } })
    expect(derivationDigest(using(plain))).not.toBe(
      derivationDigest(using(derivation({ name: 'plain', env: { A: '1' } }))),
    )
  })
})

describe('dependencies', () => {
  it('lists a derivation only once if several of its files are inputs', () => {
    const user = derivation({
      inputs: { a: { from: plain, file: 'a' }, b: { from: plain, file: 'b' }, c: { bytes: '' } },
    })
    expect(dependencies(user)).toEqual([plain])
  })
})
