import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import type * as FsPromises from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type * as Age from '../../../builder/keys/age.ts'
import { makeHostIdentity, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const state = vi.hoisted(() => ({ encryption: 'whole' as 'whole' | 'damaged', renames: 0, cutAt: 0 }))

vi.mock('../../../builder/keys/age.ts', async (original) => {
  const age = await original<typeof Age>()
  return {
    ...age,
    encryptTo: async (recipients: readonly string[], text: string) =>
      age.encryptTo(recipients, state.encryption === 'whole' ? text : text.slice(0, -9)),
  }
})

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof FsPromises>()
  const rename: typeof FsPromises.rename = async (from, to) => {
    state.renames += 1
    if (state.renames === state.cutAt) throw new Error('the power is gone')
    await fs.rename(from, to)
  }
  return { ...fs, rename }
})

beforeEach(() => Object.assign(state, { encryption: 'whole', renames: 0, cutAt: 0 }))

async function newPlace() {
  const project = await tempDirectory()
  mkdirSync(join(project, 'hosts'))
  const place = { project, env: { XDG_CONFIG_HOME: join(project, 'config') }, reporter: listReporter() }
  const files = () =>
    Object.fromEntries(
      readdirSync(join(project, 'hosts')).map((name) => [name, readFileSync(join(project, 'hosts', name), 'utf8')]),
    )
  return { place, files }
}

describe('the public half of an identity', () => {
  it('writes the public half only after it has read the private half back from disk', async () => {
    const { place, files } = await newPlace()
    state.encryption = 'damaged'
    await expect(makeHostIdentity(place, 'tiny')).rejects.toThrow()
    expect(Object.keys(files())).toEqual(['tiny.identity.age'])
  })

  it.each([
    [1, []],
    [2, ['tiny.identity.age']],
  ])(
    'a power cut at rename %i leaves the public half complete or missing, and the same command continues',
    async (cutAt, left) => {
      const { place, files } = await newPlace()
      state.cutAt = cutAt
      await expect(makeHostIdentity(place, 'tiny')).rejects.toThrow('the power is gone')
      expect(Object.keys(files())).toEqual(left)
      const { kind, identity } = await makeHostIdentity(place, 'tiny')
      expect(kind).toBe(cutAt === 1 ? 'made' : 'finished')
      expect(Object.keys(files()).sort()).toEqual(['tiny.identity.age', 'tiny.identity.json'])
      expect(await makeHostIdentity(place, 'tiny')).toEqual({ kind: 'there', identity })
    },
  )

  it.each([1, 2])('a power cut at rename %i of a rotation does not change the public half', async (cutAt) => {
    const { place, files } = await newPlace()
    await makeHostIdentity(place, 'tiny')
    const before = files()
    Object.assign(state, { renames: 0, cutAt })
    await expect(rotateHostIdentity(place, 'tiny', 'ssh')).rejects.toThrow('the power is gone')
    expect(files()['tiny.identity.json']).toBe(before['tiny.identity.json'])
    const { identity } = await rotateHostIdentity(place, 'tiny', 'ssh')
    expect(identity.ssh.length).toBe(2)
  })
})
