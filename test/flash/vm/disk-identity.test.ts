import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostIdentityTar, makeHostIdentity, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { projectIdentity } from '../../../cli/project-identity.ts'
import type { IdentityTar } from '../../../flash/disk/write-host-disk.ts'
import { copyDisk, withDisk } from '../../../flash/vm/disk.ts'
import { giveIdentity, hasOtherIdentity } from '../../../flash/vm/disk-identity.ts'
import { digestOf } from '../../../images/digest.ts'
import { readIdentity } from '../../../images/identity/partition.ts'
import { IDENTITY_SIZE, layoutOnDisk, MIB, partition } from '../../../images/layout.ts'
import { readTar } from '../../helpers/read-tar.ts'
import { secretPlace } from '../../helpers/secret-place.ts'
import { type SmallDisk, smallDisk } from '../../helpers/small-disk.ts'

async function bench() {
  const small = await smallDisk()
  const { context, project, keyFile, reporter } = await secretPlace()
  const disk = join(small.directory, 'vm.img')
  await copyDisk(small.image, disk, small.host.disk)
  const identity: IdentityTar = (trust) => hostIdentityTar(context, 'tiny', trust)
  return { ...small, disk, context, project, keyFile, reporter, identity }
}

const identityOn = ({ host }: SmallDisk, disk: string) => {
  const { offset } = partition(layoutOnDisk(host.slotSize, host.disk), 'identity')
  return withDisk(disk, (source) =>
    readIdentity({ size: IDENTITY_SIZE, read: (at, length) => source.read(offset + at, length) }),
  )
}

describe("the identity on a machine's disk", () => {
  it("is the project's: the machine has the age keys of the host, and trusts the signer of the image", async () => {
    const place = await bench()
    await makeHostIdentity(place.context, 'tiny')
    const { identity: known } = await rotateHostIdentity(place.context, 'tiny', 'age')
    await giveIdentity(place.image, place.disk, place.identity)
    const copy = identityOn(place, place.disk)
    const files = await readTar(copy?.tar ?? new Uint8Array())
    const textOf = (name: string) => files.find(({ header }) => header.name === name)?.bytes.toString()
    expect(textOf('./age/recipients')).toBe(known.age.map((key) => `${key}\n`).join(''))
    expect(textOf('./age/key')).toMatch(/^AGE-SECRET-KEY-1/)
    expect(textOf('./trust/signing')).toBe('ssh-ed25519 AAAA signer\n')
    expect(statSync(place.disk).mode & 0o077).toBe(0)
  })

  it('changes only the identity partition', async () => {
    const place = await bench()
    await makeHostIdentity(place.context, 'tiny')
    const { offset } = partition(layoutOnDisk(place.host.slotSize, place.host.disk), 'identity')
    const around = () =>
      withDisk(place.disk, (source) =>
        [offset - MIB, offset + IDENTITY_SIZE].map((at) => digestOf(source.read(at, MIB))),
      )
    const before = around()
    await giveIdentity(place.image, place.disk, place.identity)
    expect(around()).toEqual(before)
  })

  it('stays blank without an identity in the project, so that the machine makes its own', async () => {
    const place = await bench()
    await giveIdentity(place.image, place.disk, place.identity)
    expect(identityOn(place, place.disk)).toBeUndefined()
  })

  it('a kept disk is recognised by its age keys: others than those of the project are reported', async () => {
    const place = await bench()
    await makeHostIdentity(place.context, 'tiny')
    const isOther = () => hasOtherIdentity(place.image, place.disk, place.identity)
    expect(await isOther()).toBe(true)
    await giveIdentity(place.image, place.disk, place.identity)
    expect(await isOther()).toBe(false)
    await rotateHostIdentity(place.context, 'tiny', 'age')
    expect(await isOther()).toBe(true)
  })
})

describe('projectIdentity', () => {
  it('gives the identity of a host that has one in the project', async () => {
    const { context } = await secretPlace('tiny')
    const identity = await projectIdentity(context, 'tiny')
    const trust = { signing: [], serial: { time: 1, number: 1 } }
    expect((await identity?.(trust))?.length).toBeGreaterThan(0)
    expect(await projectIdentity(context, 'other')).toBeUndefined()
  })

  it("warns, and lets the machine make its own identity, on a computer without the owner's key", async () => {
    const { context, reporter } = await secretPlace('tiny')
    const env = { XDG_CONFIG_HOME: '/nowhere' }
    expect(await projectIdentity({ ...context, env }, 'tiny')).toBeUndefined()
    expect(reporter.warnings).toEqual([
      "this computer has no owner's age key, so the machine makes its own identity, and cannot decrypt the secrets of tiny",
    ])
  })
})
