import { describe, expect, it } from 'vitest'
import { mirrorsOf } from '../../builder/sources/debian/archive/mirrors.ts'
import { withLabMirrors } from '../../cli/lab-mirrors.ts'
import { defineLab, type LabFile } from '../../hosts/schema/lab-file.ts'
import { commandContext } from '../helpers/command-context.ts'

const REGISTRY: LabFile['registryMirrors'] = {
  debian: ['http://near.lab/debian', 'http://far.lab/debian'],
  'debian-security': ['http://near.lab/security'],
}

const mirrors = async (registryMirrors: LabFile['registryMirrors'], env: NodeJS.ProcessEnv = {}) => {
  const { hosts } = commandContext()
  const context = commandContext({ env, hosts: { ...hosts, lab: async () => defineLab({ registryMirrors }) } })
  return mirrorsOf((await withLabMirrors(context)).env, [])
}

describe('the mirrors of the lab file', () => {
  it('come before the public mirrors', async () => {
    const { debian, 'debian-security': security } = await mirrors(REGISTRY)
    expect(debian).toEqual(['http://near.lab/debian', 'http://far.lab/debian', 'http://deb.debian.org/debian'])
    expect(security).toEqual(['http://near.lab/security', 'http://deb.debian.org/debian-security'])
  })

  it('are replaced by the mirrors of the environment', async () => {
    const { debian } = await mirrors(REGISTRY, { HANGAR_DEBIAN_MIRROR: 'http://own.lab/debian' })
    expect(debian).toEqual(['http://own.lab/debian', 'http://deb.debian.org/debian'])
  })

  it('change nothing if the lab file has none', async () => {
    expect((await mirrors({})).debian).toEqual(['http://deb.debian.org/debian'])
  })
})
