import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { FORMER_TIME_ZONES, parseTimeZone, TIME_ZONES } from '../../images/time-zone.ts'
import { LOCK_FILE } from '../helpers/locked-image.ts'
import { timeZoneTable } from '../helpers/time-zone-table.ts'
import { PROJECT } from '../helpers/toolchain.ts'

/** The file of the locked package tzdata; undefined if the store does not have it, or the machine has no dpkg-deb. */
async function lockedTzdata(): Promise<string | undefined> {
  const found = Object.values((await readDebianLock(LOCK_FILE)).packages).find((each) => each.package === 'tzdata')
  const root = storeRoot(process.env)
  if (found === undefined || !existsSync(join(root, 'format')) || spawnSync('dpkg-deb', ['--version']).error) return
  const store = await openStore(root)
  return store.has(found.sha256, found.size) ? store.path(found.sha256) : undefined
}

const tzdata = await lockedTzdata()
if (tzdata === undefined)
  console.warn('SKIPPED: without dpkg-deb and the locked tzdata in the store, the time zones are not compared with it')

describe('the table of time zones', () => {
  // To refresh the file after an update of tzdata: npx vitest run --project unit test/images/time-zone.test.ts --update
  it.skipIf(tzdata === undefined)('has exactly the names of the locked tzdata', async () => {
    await expect(timeZoneTable(tzdata ?? '')).toMatchFileSnapshot(join(PROJECT, 'images/debian/time-zones.ts'))
  })

  it('names a time zone of the image for each former name', () => {
    const isWrong = ([name, to]: [string, string]) => TIME_ZONES.includes(name) || !TIME_ZONES.includes(to)
    expect([FORMER_TIME_ZONES.size, [...FORMER_TIME_ZONES].filter(isWrong)]).toEqual([113, []])
  })
})

describe('parseTimeZone', () => {
  it('accepts every name of the image', () => {
    expect(TIME_ZONES).toEqual(expect.arrayContaining(['Europe/Zurich', 'Etc/UTC', 'UTC', 'America/Los_Angeles']))
    for (const name of TIME_ZONES) expect(parseTimeZone(name)).toBe(name)
  })

  it('refuses every former name, and suggests the name of the image with the same time', () => {
    for (const [name, to] of FORMER_TIME_ZONES)
      expect(() => parseTimeZone(name)).toThrow(
        expect.objectContaining({ message: expect.stringContaining(name), hint: expect.stringContaining(`'${to}'`) }),
      )
    expect(FORMER_TIME_ZONES.get('US/Pacific')).toBe('America/Los_Angeles')
  })

  it.each([
    ['Europe/Zurch', 'Europe/Zurich'],
    ['europe/zurich', 'Europe/Zurich'],
    ['US/Pacifc', 'America/Los_Angeles'],
    ['us/pacific', 'America/Los_Angeles'],
  ])('suggests for %s the name %s, which the image has', (typed, meant) => {
    expect(() => parseTimeZone(typed)).toThrow(`no time zone has the name '${typed}'`)
    expect(() => parseTimeZone(typed)).toThrow(`did you mean '${meant}'?`)
  })

  it.each(['', 'localtime', 'posixrules', 'tzdata.zi', 'Factory', 'Europe', '../etc/passwd', 'Europe/Zurich\n'])(
    'refuses %j, which is no time zone',
    (text) => {
      expect(() => parseTimeZone(text)).toThrow('no time zone has the name')
    },
  )
})
