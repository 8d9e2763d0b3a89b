import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { aptProxy } from '../../../../../builder/sources/debian/archive/apt-proxy.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

/** A machine whose apt-config prints these lines, with a program `detect` that prints an answer. */
async function machine(dump: readonly string[], answer = '') {
  const directory = await tempDirectory()
  const write = (name: string, body: string) =>
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  write('apt-config', `cat <<'END'\n${dump.join('\n')}\nEND`)
  write('detect', `echo "${answer}"`)
  return aptProxy({ PATH: `${directory}:/usr/bin:/bin` })
}

const ALL = 'Acquire::http::Proxy "http://apt.test:3142";'

describe('aptProxy', () => {
  it.each([
    ['the proxy of http', [ALL], 'http://deb.test/', 'apt.test:3142'],
    ['the proxy of http for https', [ALL], 'https://deb.test/', 'apt.test:3142'],
    ['the proxy of https', [ALL, 'Acquire::https::Proxy "http://s.test:1";'], 'https://deb.test/', 's.test:1'],
    ['DIRECT for https', [ALL, 'Acquire::https::Proxy "DIRECT";'], 'https://deb.test/', 'direct'],
    ['DIRECT for a server', [ALL, 'Acquire::http::Proxy::deb.test "DIRECT";'], 'http://deb.test/', 'direct'],
    ['DIRECT for another server', [ALL, 'Acquire::http::Proxy::a.test "DIRECT";'], 'http://deb.test/', 'apt.test:3142'],
    ['a setting in other letter case', ['Acquire::HTTP::proxy "http://a.test:1";'], 'http://deb.test/', 'a.test:1'],
    ['no setting', ['Acquire::Retries "3";'], 'http://deb.test/', undefined],
  ])('honours %s', async (_, dump, url, wanted) => {
    const found = await (await machine(dump))(new URL(url))
    expect(found instanceof URL ? found.host : found).toBe(wanted)
  })

  it('asks the program of Proxy-Auto-Detect', async () => {
    const dump = ['Acquire::http::Proxy-Auto-Detect "detect";']
    const at = new URL('http://deb.test/')
    expect(await (await machine(dump, 'http://found.test:3142/'))(at)).toEqual(new URL('http://found.test:3142/'))
    expect(await (await machine(dump, 'DIRECT'))(at)).toBe('direct')
    expect(await (await machine(dump, ''))(at)).toBeUndefined()
  })

  it('gives the program of Proxy-Auto-Detect no password of a mirror', async () => {
    const rule = await machine(['Acquire::http::Proxy-Auto-Detect "detect";'], '$1')
    expect(String(await rule(new URL('http://me:secret@deb.test/x')))).toBe('http://deb.test/x')
  })

  it('decides nothing on a machine without apt', async () => {
    expect(await aptProxy({ PATH: '/nonexistent' })(new URL('http://deb.test/'))).toBeUndefined()
  })

  it('names the setting of a proxy that does not speak HTTP', async () => {
    const rule = await machine(['Acquire::http::Proxy "socks5h://a:1";'])
    await expect(rule(new URL('http://deb.test/'))).rejects.toThrow(
      "apt's setting Acquire::http::Proxy is 'socks5h://a:1'",
    )
  })
})
