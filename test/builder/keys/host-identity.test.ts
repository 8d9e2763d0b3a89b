import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decryptWith } from '../../../builder/keys/age.ts'
import {
  adoptHostIdentity,
  hostIdentityTar,
  hostOwnKeys,
  makeHostIdentity,
  readPublicIdentity,
  rotateHostIdentity,
} from '../../../builder/keys/host-identity.ts'
import { parsePrivateIdentity } from '../../../images/identity/private-identity.ts'
import { readTar } from '../../helpers/read-tar.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const FILES = ['tiny.identity.age', 'tiny.identity.json']

async function newPlace(given: NodeJS.ProcessEnv = {}) {
  const project = await tempDirectory()
  mkdirSync(join(project, 'hosts'))
  const reporter = listReporter()
  const env = { XDG_CONFIG_HOME: join(project, 'config'), ...given }
  const key = join(project, 'config/hangar/age_key')
  const hosts = join(project, 'hosts')
  const text = (name: string) => readFileSync(join(hosts, name), 'utf8')
  const all = () => Object.fromEntries(readdirSync(hosts).map((name) => [name, text(name)]))
  const secret = async () => {
    const identity = readFileSync(key, 'utf8').split('\n')[1] ?? ''
    const plain = await decryptWith(identity, text('tiny.identity.age'), { where: 'test', keyFile: key })
    return parsePrivateIdentity(plain, 'test')
  }
  return { place: { project, env, reporter }, project, hosts, key, text, all, secret, reporter }
}

const made = (place: Parameters<typeof makeHostIdentity>[0]) => makeHostIdentity(place, 'tiny')

describe('makeHostIdentity', () => {
  it('writes the public half in clear text, and the private half encrypted to the owner', async () => {
    const { place, hosts, key, text, secret, reporter } = await newPlace()
    const { kind, identity } = await made(place)
    expect(kind).toBe('made')
    expect(readdirSync(hosts).sort()).toEqual(FILES)
    expect(readPublicIdentity(place.project, 'tiny')).toEqual(identity)
    expect(identity).toMatchObject({ ssh: [expect.any(String)], age: [expect.stringMatching(/^age1[0-9a-z]{58}$/)] })
    expect(text('tiny.identity.age')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(await secret()).toMatchObject({ host: 'tiny', machineId: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(reporter.notices).toEqual([
      `made ${key}: it decrypts the keys and secrets of your hosts; keep a backup in a safe place`,
    ])
  })

  it('writes no private key in clear text anywhere', async () => {
    const { place, project, secret, reporter } = await newPlace()
    await made(place)
    const { ssh, age, machineId } = await secret()
    const secrets = [ssh[0]?.split('\n')[1] ?? '', age[0]?.identity ?? '', machineId]
    const files = readdirSync(project, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    expect(files.length).toBe(4)
    for (const file of files) {
      const content = readFileSync(join(file.parentPath, file.name), 'utf8')
      for (const each of secrets) expect(content).not.toContain(each)
    }
    for (const each of secrets) expect(reporter.notices.join()).not.toContain(each)
  })

  it('changes nothing when the host has an identity', async () => {
    const { place, all } = await newPlace()
    const first = await made(place)
    const before = all()
    expect(await made(place)).toEqual({ kind: 'there', identity: first.identity })
    expect(all()).toEqual(before)
  })

  it('makes one identity in two concurrent runs', async () => {
    const { place } = await newPlace()
    const [one, other] = await Promise.all([made(place), made(place)])
    expect(one?.identity).toEqual(other?.identity)
    expect([one?.kind, other?.kind].sort()).toEqual(['made', 'there'])
  })

  it('makes different identities for different hosts', async () => {
    const { place } = await newPlace()
    const [one, other] = [await made(place), await makeHostIdentity(place, 'other')]
    expect(one.identity.ssh).not.toEqual(other.identity.ssh)
    expect(one.identity.age).not.toEqual(other.identity.age)
  })

  it('writes the missing public half of an interrupted run', async () => {
    const { place, hosts } = await newPlace()
    const { identity } = await made(place)
    rmSync(join(hosts, 'tiny.identity.json'))
    expect(await made(place)).toEqual({ kind: 'finished', identity })
    expect(readPublicIdentity(place.project, 'tiny')).toEqual(identity)
  })

  it('refuses the identity of another host', async () => {
    const { place, hosts } = await newPlace()
    await makeHostIdentity(place, 'other')
    renameSync(join(hosts, 'other.identity.age'), join(hosts, 'tiny.identity.age'))
    await expect(made(place)).rejects.toMatchObject({
      code: 'key',
      message: "'hosts/tiny.identity.age' contains the identity of 'other', wanted 'tiny'",
    })
  })

  it('makes no identity when CI=true', async () => {
    const { place, hosts, key } = await newPlace({ CI: 'true' })
    await expect(made(place)).rejects.toMatchObject({ code: 'key', hint: expect.stringContaining('your own machine') })
    expect(readdirSync(hosts)).toEqual([])
    expect(existsSync(key)).toBe(false)
  })
})

describe('rotateHostIdentity', () => {
  it.each(['ssh', 'age'] as const)('puts a new %s key before the old key', async (what) => {
    const { place, secret } = await newPlace()
    const { identity } = await made(place)
    const before = await secret()
    const rotated = await rotateHostIdentity(place, 'tiny', what)
    const other = what === 'ssh' ? 'age' : 'ssh'
    expect(rotated).toMatchObject({ kind: 'rotated', identity: { [other]: identity[other] } })
    expect(rotated.identity[what]).toEqual([expect.any(String), ...identity[what]])
    expect(rotated.identity[what][0]).not.toBe(identity[what][0])
    expect((await secret())[what].slice(1)).toEqual(before[what])
    expect(readPublicIdentity(place.project, 'tiny')).toEqual(rotated.identity)
  })

  it('finishes an interrupted rotation with the same key', async () => {
    const { place, hosts, text } = await newPlace()
    await made(place)
    const published = text('tiny.identity.json')
    const { identity } = await rotateHostIdentity(place, 'tiny', 'ssh')
    writeFileSync(join(hosts, 'tiny.identity.json'), published)
    expect(await rotateHostIdentity(place, 'tiny', 'ssh')).toEqual({ kind: 'finished', identity })
  })

  it('refuses to rotate a host without an identity, and a host that made its own', async () => {
    const { place } = await newPlace()
    const rotate = () => rotateHostIdentity(place, 'tiny', 'ssh')
    await expect(rotate()).rejects.toMatchObject({ code: 'key', hint: 'create an identity: npm run init tiny' })
    await adoptHostIdentity(place, 'tiny', PUBLIC_LINES[0] ?? '')
    await expect(rotate()).rejects.toMatchObject({
      message: "cannot rotate the keys of tiny: the private half is only on the host's own disk",
    })
  })
})

describe('adoptHostIdentity', () => {
  const [KEY = '', OTHER = ''] = PUBLIC_LINES

  it('adopts the public key of the host, and needs no key of the owner', async () => {
    const { place, hosts, key } = await newPlace()
    expect(await adoptHostIdentity(place, 'tiny', KEY)).toMatchObject({
      kind: 'adopted',
      identity: { ssh: [KEY], age: [] },
    })
    expect(readdirSync(hosts)).toEqual(['tiny.identity.json'])
    expect(existsSync(key)).toBe(false)
    expect(await adoptHostIdentity(place, 'tiny', KEY)).toMatchObject({ kind: 'there' })
    expect(await made(place)).toMatchObject({ kind: 'there', identity: { ssh: [KEY] } })
    expect(await hostIdentityTar(place, 'tiny', { signing: [], serial: { time: 5, number: 1 } })).toBeUndefined()
  })

  it('replaces the key of a host that was set up again', async () => {
    const { place } = await newPlace()
    await adoptHostIdentity(place, 'tiny', KEY)
    expect(await adoptHostIdentity(place, 'tiny', OTHER)).toMatchObject({ kind: 'adopted', identity: { ssh: [OTHER] } })
  })

  it('never replaces an identity that the project made', async () => {
    const { place, all } = await newPlace()
    await made(place)
    const before = all()
    await expect(adoptHostIdentity(place, 'tiny', KEY)).rejects.toMatchObject({
      code: 'key',
      hint: expect.stringMatching(/^git pull, .* Otherwise write the disk again/),
    })
    expect(all()).toEqual(before)
  })
})

describe('hostIdentityTar', () => {
  it('the identity tar contains the private half and the trusted keys', async () => {
    const { place, secret } = await newPlace()
    await made(place)
    const tar = await hostIdentityTar(place, 'tiny', {
      signing: ['ssh-ed25519 AAAA owner'],
      serial: { time: 5, number: 1 },
    })
    const entries = await readTar(tar ?? new Uint8Array())
    const text = (name: string) => entries.find(({ header }) => header.name === name)?.bytes.toString()
    expect(text('./ssh/ssh_host_ed25519_key')).toBe((await secret()).ssh[0])
    expect(text('./age/key')).toBe(`${(await secret()).age[0]?.identity}\n`)
    expect(text('./trust/signing')).toBe('ssh-ed25519 AAAA owner\n')
  })

  it('refuses a key whose public half is not in the project', async () => {
    const { place, hosts } = await newPlace()
    await made(place)
    const published = readFileSync(join(hosts, 'tiny.identity.json'))
    await rotateHostIdentity(place, 'tiny', 'ssh')
    writeFileSync(join(hosts, 'tiny.identity.json'), published)
    await expect(hostIdentityTar(place, 'tiny', { signing: [], serial: { time: 5, number: 1 } })).rejects.toMatchObject(
      {
        code: 'key',
        hint: expect.stringContaining('npm run init tiny'),
      },
    )
  })
})

describe('hostOwnKeys', () => {
  it("contains the host's own keys, newest first, without machine id and trusted keys", async () => {
    const { place, secret } = await newPlace()
    await made(place)
    await rotateHostIdentity(place, 'tiny', 'ssh')
    const { ssh, age } = await secret()
    expect(ssh).toHaveLength(2)
    const text = Buffer.from((await hostOwnKeys(place, 'tiny')) ?? []).toString()
    expect(JSON.parse(text)).toEqual({ format: 1, ssh, age })
  })

  it('returns undefined when only the host has the private half', async () => {
    const { place } = await newPlace()
    await adoptHostIdentity(place, 'tiny', PUBLIC_LINES[0] ?? '')
    expect(await hostOwnKeys(place, 'tiny')).toBeUndefined()
  })

  it('refuses a key whose public half is not in the project', async () => {
    const { place, hosts } = await newPlace()
    await made(place)
    const former = readFileSync(join(hosts, 'tiny.identity.json'))
    await rotateHostIdentity(place, 'tiny', 'ssh')
    writeFileSync(join(hosts, 'tiny.identity.json'), former)
    await expect(hostOwnKeys(place, 'tiny')).rejects.toMatchObject({
      ...{ code: 'key', hint: expect.stringContaining('npm run init tiny') },
    })
    await made(place)
    expect(await hostOwnKeys(place, 'tiny')).toBeDefined()
  })
})

describe('ownerAgeKey', () => {
  it('refuses a key file that other users can read', async () => {
    const { place, key } = await newPlace()
    await made(place)
    chmodSync(key, 0o640)
    await expect(made(place)).rejects.toMatchObject({ hint: expect.stringContaining(`chmod 600 '${key}'`) })
  })

  it('names a missing age key, and makes no new key', async () => {
    const { place, key } = await newPlace()
    await made(place)
    rmSync(key)
    await expect(rotateHostIdentity(place, 'tiny', 'age')).rejects.toMatchObject({
      message: `cannot decrypt 'hosts/tiny.identity.age': '${key}' does not exist`,
      hint: `restore the key to '${key}' from your backup`,
    })
    expect(existsSync(key)).toBe(false)
  })

  it('names the age key file that another key cannot decrypt', async () => {
    const { place, key, all } = await newPlace()
    await made(place)
    const other = await newPlace()
    await made(other.place)
    writeFileSync(key, readFileSync(other.key))
    const before = all()
    await expect(rotateHostIdentity(place, 'tiny', 'age')).rejects.toMatchObject({
      code: 'key',
      message: expect.stringContaining(`cannot decrypt 'hosts/tiny.identity.age' with '${key}'`),
    })
    expect(all()).toEqual(before)
  })

  it('does not print a corrupt key', async () => {
    const { place, key } = await newPlace()
    await made(place)
    const identity = readFileSync(key, 'utf8').split('\n')[1] ?? ''
    writeFileSync(key, `${identity.slice(0, -3)}\n`)
    const error = await made(place).catch((each: Error) => each)
    expect(error).toMatchObject({ message: expect.stringContaining(`cannot read the age key '${key}'`) })
    expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain(identity.slice(20, 40))
  })
})
