import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mirrorsOf, readAptSources, snapshots } from '../../../../../builder/sources/debian/archive/mirrors.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const PUBLIC = { debian: 'http://deb.debian.org/debian', 'debian-security': 'http://deb.debian.org/debian-security' }

describe('mirrorsOf', () => {
  it("returns Debian's public mirrors by default", () => {
    expect(mirrorsOf({}, [])).toEqual({ debian: [PUBLIC.debian], 'debian-security': [PUBLIC['debian-security']] })
  })

  it("returns the mirrors of the setting, then apt's mirrors, then the public ones", () => {
    const mirrors = mirrorsOf({ HANGAR_DEBIAN_MIRROR: 'http://near.example/debian/' }, ['https://own.example/debian/'])
    expect(mirrors.debian).toEqual(['http://near.example/debian', 'https://own.example/debian', PUBLIC.debian])
    expect(mirrors['debian-security']).toEqual([PUBLIC['debian-security']])
  })

  it('accepts several mirrors for each archive, in order', () => {
    const setting = 'debian=http://a.example/d,debian-security=http://a.example/s http://b.example/debian'
    const mirrors = mirrorsOf({ HANGAR_DEBIAN_MIRROR: setting }, [])
    expect(mirrors.debian.slice(0, 2)).toEqual(['http://a.example/d', 'http://b.example/debian'])
    expect(mirrors['debian-security'][0]).toBe('http://a.example/s')
  })

  it('names each mirror once', () => {
    expect(mirrorsOf({ HANGAR_DEBIAN_MIRROR: PUBLIC.debian }, [`${PUBLIC.debian}/`]).debian).toEqual([PUBLIC.debian])
  })

  it('leaves out the sources of other vendors', () => {
    const others = [
      'https://vendor.example/apt',
      'http://ports.example/debian-ports',
      'cdrom:[Debian]/',
      'copy:/srv/debian',
    ]
    expect(mirrorsOf({}, others).debian).toEqual([PUBLIC.debian])
  })

  it.each(['nonsense', 'ubuntu=http://a.example/ubuntu', 'ftp://a.example/debian'])(
    'refuses the mirror setting %s',
    (setting) => {
      const wrong = () => mirrorsOf({ HANGAR_DEBIAN_MIRROR: setting }, [])
      expect(wrong).toThrow(`HANGAR_DEBIAN_MIRROR has '${setting}', wanted URL or ARCHIVE=URL`)
      expect(wrong).toThrow(expect.objectContaining({ hint: expect.stringContaining('HANGAR_DEBIAN_MIRROR=http') }))
    },
  )
})

describe('readAptSources', () => {
  it("reads both formats in apt's order", async () => {
    const directory = await tempDirectory()
    await mkdir(join(directory, 'sources.list.d'))
    await writeFile(
      join(directory, 'sources.list'),
      '# deb http://off.example/debian trixie main\ndeb [arch=amd64 signed-by=/k] http://one.example/debian trixie main\ndeb-src http://src.example/debian trixie main\n',
    )
    await writeFile(
      join(directory, 'sources.list.d/a.sources'),
      'Types: deb deb-src\nURIs: http://two.example/debian\n http://three.example/debian\nSuites: trixie\n\nTypes: deb\nEnabled: no\nURIs: http://off.example/debian\n\nTypes: deb-src\nURIs: http://src.example/debian\n',
    )
    await writeFile(
      join(directory, 'sources.list.d/b.list'),
      'deb http://four.example/debian-security trixie-security main',
    )
    await writeFile(join(directory, 'sources.list.d/c.list.save'), 'deb http://off.example/debian trixie main')
    expect(await readAptSources(directory)).toEqual([
      'http://one.example/debian',
      'http://two.example/debian',
      'http://three.example/debian',
      'http://four.example/debian-security',
    ])
  })

  it('returns no URL on a machine without apt', async () => {
    expect(await readAptSources(join(await tempDirectory(), 'none'))).toEqual([])
  })
})

describe('snapshots', () => {
  it('the snapshots of a lock are the one after its time, then the one before', () => {
    const time = Date.parse('2026-09-12T07:55:41Z') / 1000
    expect(snapshots(time)['debian-security']).toEqual([
      'https://snapshot.debian.org/archive/debian-security/20260912T195541Z',
      'https://snapshot.debian.org/archive/debian-security/20260912T075541Z',
    ])
  })
})
