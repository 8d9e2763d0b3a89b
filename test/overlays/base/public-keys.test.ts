import { describe, expect, it } from 'vitest'
import { distinctKeys } from '../../../overlays/base/public-keys.ts'

describe('distinctKeys', () => {
  it('keeps each key once, with its first name', () => {
    const lines = ['ssh-ed25519 AAAA you', 'ssh-ed25519 BBBB', 'ssh-ed25519 AAAA you@laptop', 'ssh-ed25519 BBBB ci']
    expect(distinctKeys(lines)).toEqual(['ssh-ed25519 AAAA you', 'ssh-ed25519 BBBB'])
  })

  it('keeps keys that differ in their type only', () => {
    expect(distinctKeys(['ssh-ed25519 AAAA', 'ssh-rsa AAAA'])).toEqual(['ssh-ed25519 AAAA', 'ssh-rsa AAAA'])
  })
})
