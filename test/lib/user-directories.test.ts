import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { homeDirectory, keyDirectory, storeDirectory } from '../../lib/user-directories.ts'

describe('the directories of a user', () => {
  it.each([
    [{ HOME: '/home/me' }, '/home/me/.cache/hangar', '/home/me/.config/hangar'],
    [{ HOME: '/home/me', XDG_CACHE_HOME: '/c', XDG_CONFIG_HOME: '/k' }, '/c/hangar', '/k/hangar'],
    [
      { HOME: '/home/me', XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '' },
      '/home/me/.cache/hangar',
      '/home/me/.config/hangar',
    ],
    [{ HOME: '/home/me', HANGAR_STORE: '/s' }, '/s', '/home/me/.config/hangar'],
    [{ HOME: '/home/me', HANGAR_STORE: 's' }, resolve('s'), '/home/me/.config/hangar'],
  ])('with %j are %s and %s', (env, store, keys) => {
    expect(storeDirectory(env)).toBe(store)
    expect(keyDirectory(env)).toBe(keys)
  })

  it('without HOME are in the home directory of the entry in /etc/passwd', () => {
    for (const env of [{}, { HOME: '' }]) expect(homeDirectory(env, () => '/home/entry')).toBe('/home/entry')
  })

  it('without HOME and without an entry in /etc/passwd are refused with the settings that help', () => {
    const noEntry = () => {
      throw new Error('ENOENT: no such file or directory, uv_os_get_passwd')
    }
    expect(() => homeDirectory({}, noEntry)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringMatching(/^HOME is not set, and user \d+ has no entry in \/etc\/passwd/),
        hint: expect.stringMatching(/HOME.*HANGAR_STORE.*XDG_CONFIG_HOME/),
      }),
    )
  })

  it.each([
    ['HOME', storeDirectory],
    ['XDG_CACHE_HOME', storeDirectory],
    ['HOME', keyDirectory],
    ['XDG_CONFIG_HOME', keyDirectory],
  ])('are refused by name when %s is relative', (name, directory) => {
    expect(() => directory({ [name]: 'own' })).toThrow(`${name} is 'own', wanted an absolute path`)
  })
})
