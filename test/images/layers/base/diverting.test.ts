import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { unpackBeforeDiversions } from '../../../../images/layers/base/diverting.ts'
import { packageName } from '../../../../images/layers/parts/deb.ts'
import { type SmallDeb, smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const DIVERTS = '#!/bin/sh\ndpkg-divert --add --rename --divert /usr/sbin/halt.real /usr/sbin/halt\n'
const system: SmallDeb = { name: 'system', files: { 'usr/sbin/halt': 'the system' } }

async function unpack(...debs: SmallDeb[]) {
  const directory = await tempDirectory()
  const root = `${directory}/root`
  const files = debs.map((each) => smallDeb(directory, each))
  const { debs: unpacked, diverting } = await unpackBeforeDiversions(files, root)
  return { root, unpacked: unpacked.map(packageName), diverting: diverting.map(({ deb }) => packageName(deb)) }
}

describe('unpackBeforeDiversions', () => {
  it.each([
    ['after', (guard: SmallDeb) => [system, guard]],
    ['before', (guard: SmallDeb) => [guard, system]],
  ])('leaves out a package that diverts a file of a package listed %s it', async (_where, listed) => {
    const guard = { name: 'guard', files: { 'usr/sbin/halt': 'a guard' }, control: { preinst: DIVERTS } }
    const { root, unpacked, diverting } = await unpack(...listed(guard))
    expect({ unpacked, diverting }).toEqual({ unpacked: ['system'], diverting: ['guard'] })
    expect(readFileSync(`${root}/usr/sbin/halt`, 'utf8')).toBe('the system')
  })

  it('unpacks all packages if none diverts a file that another one ships', async () => {
    const guard = { name: 'guard', files: { 'usr/sbin/guard': 'a guard' }, control: { preinst: DIVERTS } }
    const { root, unpacked, diverting } = await unpack(system, guard)
    expect({ unpacked, diverting }).toEqual({ unpacked: ['system', 'guard'], diverting: [] })
    expect(existsSync(`${root}/usr/sbin/guard`)).toBe(true)
  })

  it('refuses two packages with the same file if neither diverts it', async () => {
    const other = { name: 'other', files: { 'usr/sbin/halt': 'another' }, control: { preinst: '#!/bin/sh\n' } }
    await expect(unpack(system, other)).rejects.toMatchObject({
      message: "several of its packages ship the same file: '/usr/sbin/halt' (system, other)",
    })
  })

  it('refuses a conflict between two other packages beside a diversion', async () => {
    const guard = { name: 'guard', files: { 'usr/sbin/halt': 'a guard' }, control: { preinst: DIVERTS } }
    const others = ['one', 'two'].map((name): SmallDeb => ({ name, files: { 'etc/same': name } }))
    await expect(unpack(system, guard, ...others)).rejects.toMatchObject({
      message: "several of its packages ship the same file: '/etc/same' (one, two)",
    })
  })
})
