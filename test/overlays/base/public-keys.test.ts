import { describe, expect, it } from 'vitest'
import { distinctKeys } from '../../../overlays/base/public-keys.ts'

describe('public keys of two sources', () => {
  it('are each there once, under the name that came first', () => {
    const lines = ['ssh-ed25519 AAAA you', 'ssh-ed25519 BBBB', 'ssh-ed25519 AAAA you@laptop', 'ssh-ed25519 BBBB ci']
    expect(distinctKeys(lines)).toEqual(['ssh-ed25519 AAAA you', 'ssh-ed25519 BBBB'])
  })

  it('are two where only their kind differs', () => {
    expect(distinctKeys(['ssh-ed25519 AAAA', 'ssh-rsa AAAA'])).toEqual(['ssh-ed25519 AAAA', 'ssh-rsa AAAA'])
  })
})
