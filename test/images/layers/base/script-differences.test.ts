import { describe, expect, it } from 'vitest'
import { requireSameScripts, translateDiversions } from '../../../../images/layers/base/script-differences.ts'

const deb = (name: string, control: Record<string, string>) => ({
  fields: new Map([['Package', name]]),
  files: [],
  control: new Map(Object.entries(control).map(([file, text]) => [file, Buffer.from(text)])),
})

describe('requireSameScripts', () => {
  it('accepts scripts that differ in library directory, loader and package architecture', () => {
    const native = deb('a', { postinst: 'ls /usr/lib/x86_64-linux-gnu /lib64/ld-linux-x86-64.so.2; dpkg -L a:amd64\n' })
    const target = deb('a', { postinst: 'ls /usr/lib/aarch64-linux-gnu /lib/ld-linux-aarch64.so.1; dpkg -L a:arm64\n' })
    expect(() => requireSameScripts([native], [target], 'amd64', 'arm64', 'host')).not.toThrow()
  })

  it.each([
    ['differ', { postinst: 'grub-install --target=i386-pc\n' }, { postinst: 'grub-install --target=arm64-efi\n' }],
    ['exist for one architecture only', { postinst: 'true\n' }, {}],
  ])(
    'refuses maintainer scripts that %s, and names them',
    (_what, here: Record<string, string>, there: Record<string, string>) => {
      expect(() => requireSameScripts([deb('grub', here)], [deb('grub', there)], 'amd64', 'arm64', 'host')).toThrow(
        'cannot carry the changes of maintainer scripts that differ between amd64 and arm64: grub.postinst',
      )
    },
  )

  it.each([
    'case $(uname -m) in aarch64) touch /etc/a ;; esac',
    'uname -rm > /etc/a',
    'dpkg --print-architecture > /etc/a',
    'dpkg-architecture -qDEB_HOST_ARCH > /etc/a',
    'echo "$DPKG_MAINTSCRIPT_ARCH" > /etc/a',
    'grep -c Features /proc/cpuinfo > /etc/a',
  ])('refuses a maintainer script that reads the architecture: %s', (text) => {
    const asking = deb('a', { postinst: `#!/bin/sh\n${text}\n` })
    expect(() => requireSameScripts([asking], [asking], 'amd64', 'arm64', 'host')).toThrow(
      'cannot carry the changes of maintainer scripts that read the architecture of the builder: a.postinst',
    )
    expect(() => requireSameScripts([asking], [asking], 'arm64', 'arm64', 'host')).not.toThrow()
  })

  it.each(['# once: dpkg --print-architecture', 'uname -r > /etc/a', 'dpkg --print-avail a', 'true # as uname'])(
    'accepts script text that only resembles a read of the architecture: %s',
    (text) => {
      const quiet = deb('a', { postinst: `${text}\n` })
      expect(() => requireSameScripts([quiet], [quiet], 'amd64', 'arm64', 'host')).not.toThrow()
    },
  )

  it('names every script that it refuses, and the way out for a host and for a container', () => {
    const debs = (text: string) => ['a', 'b'].map((name) => deb(name, { preinst: text, postinst: text }))
    const refused = (purpose: 'host' | 'container') => {
      try {
        return requireSameScripts(debs('here'), debs('there'), 'amd64', 'arm64', purpose)
      } catch (error) {
        return error as { message: string; hint: string }
      }
    }
    expect(refused('host')).toMatchObject({
      code: 'carry',
      message: expect.stringMatching(/: a\.preinst, a\.postinst, b\.preinst, b\.postinst$/),
      hint: "remove 'a', 'b' from the packages of the base, or a package that depends on it (overlays/base/packages.ts), and run the program in a container: docs/services.md",
    })
    expect(refused('container')?.hint).toBe(
      "if the program works without what these scripts make, add 'a', 'b' to 'withoutScripts' of the image in overlays/services; otherwise request another package",
    )
  })

  it('accepts another version of debhelper in a comment, after a rebuild for one architecture, and no other comment', () => {
    const scripts = (comment: string) => deb('bc', { postinst: `${comment}\nupdate-menus\n` })
    const compare = (here: string, there: string) => () =>
      requireSameScripts([scripts(here)], [scripts(there)], 'amd64', 'arm64', 'host')
    const added = '# Automatically added by dh_installmenu'
    expect(compare(`${added}/13.14.1`, `${added}/13.20`)).not.toThrow()
    expect(compare('# text of a here-document', '# another text')).toThrow('bc.postinst')
  })

  it('ignores differences in scripts that do not run', () => {
    const scripts = (text: string) => deb('a', { prerm: text, shlibs: text })
    expect(() => requireSameScripts([scripts('x')], [scripts('y')], 'amd64', 'arm64', 'host')).not.toThrow()
  })
})

describe('translateDiversions', () => {
  const LIB64 = '/lib64\n/.lib64.usr-is-merged\nbase-files\n'
  const REST = '/lib32\n/.lib32.usr-is-merged\nbase-files\n/usr/bin/x\n/usr/bin/x.real\ny\n'

  it('adds the diversion of a library directory that only the builder has', () => {
    expect(translateDiversions(REST, 'amd64', 'arm64')).toBe(REST.replace('/usr', `${LIB64}/usr`))
  })

  it('removes the diversion of a library directory that the target has', () => {
    expect(translateDiversions(LIB64 + REST, 'arm64', 'amd64')).toBe(REST)
  })

  it('changes no diversions if both architectures are the same', () => {
    expect(translateDiversions(REST, 'arm64', 'arm64')).toBe(REST)
  })

  it('adds no diversion twice', () => {
    expect(translateDiversions(REST + LIB64, 'amd64', 'arm64')).toBe(translateDiversions(REST, 'amd64', 'arm64'))
  })

  it('sorts the diversions', () => {
    const records = ['/lib/z\n/lib/z.real\nlibz\n', '/lib/a\n/lib/a.real\nliba\n']
    const written = [records.join(''), [...records].reverse().join('')]
    const [one, other] = written.map((text) => translateDiversions(text, 'arm64', 'arm64'))
    expect(one).toBe(other)
    expect(one).toBe([...records].reverse().join(''))
  })
})
