import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generationsOf } from '../../../builder/generations/record.ts'
import { pi } from '../../../builder/platforms/pi/platform.ts'
import { requirePublishable } from '../../../builder/publish/outgoing.ts'
import { formatPublicKey, keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { signText } from '../../../images/signature/sshsig.ts'
import { startDebianRegistry } from '../../helpers/debian-registry.ts'
import { forger } from '../../helpers/forged.ts'
import { type Machine, machine, TINY } from '../../helpers/publishing.ts'
import { UNSIGNED } from '../../helpers/small-image.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const STRANGER = keyFromSeed(Buffer.alloc(32, 66), 'stranger')

/** An image that was built and published once; every test gets its own copy. */
const template = join(mkdtempSync(join(tmpdir(), 'hangar-test-')), 'stick')
afterAll(() => rmSync(dirname(template), { recursive: true }))

async function published() {
  if (!existsSync(template)) {
    const builder = await machine()
    await builder.build()
    await builder.publish(template)
  }
  const stick = join(await tempDirectory(), 'stick')
  cpSync(template, stick, { recursive: true })
  return { stick, controller: await machine(), forge: forger(stick) }
}

/** The error of a refused pull. Expects that the pull wrote no output and no record. */
async function refusal(controller: Machine, pulling: Promise<unknown>) {
  const error = await pulling.then(
    () => expect.fail('it was taken'),
    (each) => each as { name: string; code: string; message: string; hint: string },
  )
  expect(error.name, error.message).toBe('UserError')
  expect(existsSync(controller.output)).toBe(false)
  expect(generationsOf(controller.store.root, 'tiny')).toEqual([])
  return error
}

type Forge = ReturnType<typeof forger>

describe('pull from a repository that an attacker can write to', () => {
  const cases: readonly (readonly [string, (forge: Forge) => void, string, RegExp])[] = [
    ['a layer whose bytes do not have its digest', (forge) => forge.damage('base'), 'digest', /SHA-256/],
    ['a boot file whose bytes do not have its digest', (forge) => forge.damage('config.txt'), 'digest', /SHA-256/],
    ['another layer', (forge) => forge.swap('base', (bytes) => bytes.fill('x')), 'digest', /manifest names 'base'/],
    ['another kernel', (forge) => forge.swap('kernel_2712.img', () => 'mine'), 'digest', /names 'kernel_2712.img'/],
    ['another command line', (forge) => forge.swap('cmdline.txt', () => 'init=/bin/sh\n'), 'digest', /'cmdline.txt'/],
    [
      'a manifest that was changed after it was signed',
      (forge) => forge.swap('manifest.json', (bytes) => bytes.toString().replace('"tiny"', '"tinx"')),
      'signature',
      /signed text was different/,
    ],
    [
      'a signature by an untrusted key',
      (forge) => {
        let manifest = ''
        forge.swap('manifest.json', (bytes) => (manifest = bytes.toString()))
        forge.swap('manifest.json.sig', () => signText(manifest, STRANGER))
      },
      'signature',
      /its key is not trusted: 'ssh-ed25519 /,
    ],
    [
      'a signature file that holds something else',
      (forge) => forge.swap('manifest.json.sig', () => 'x'),
      'signature',
      /not an OpenSSH/,
    ],
    [
      'an image without a signature',
      (forge) =>
        forge.replace((image) => ({
          ...image,
          layers: image.layers.filter(
            ({ annotations }) => !Object.values(annotations ?? {}).includes('manifest.json.sig'),
          ),
        })),
      'signature',
      /has no 'manifest.json.sig'/,
    ],
    [
      'a missing layer',
      (forge) => forge.replace((image) => ({ ...image, layers: image.layers.slice(1) })),
      'digest',
      /manifest names 'base'/,
    ],
    [
      'layers in another order',
      (forge) =>
        forge.replace(({ layers: [a, b, ...rest], ...image }) => ({ ...image, layers: [b, a, ...rest] as never })),
      'digest',
      /it has 'kernel'/,
    ],
    [
      'an additional boot file',
      (forge) =>
        forge.replace((image) => {
          const more = { annotations: { 'org.opencontainers.image.title': 'extra.txt' }, ...forge.put('extra') }
          return { ...image, layers: [...image.layers, { mediaType: 'application/vnd.hangar.boot.v1', ...more }] }
        }),
      'digest',
      /it has 'extra.txt'/,
    ],
    [
      'another root hash in the facts',
      (forge) => forge.lie(() => ({ root: '0'.repeat(64) })),
      'digest',
      /root hash 0000/,
    ],
    [
      'another slot size in the facts',
      (forge) => forge.lie(() => ({ slotSize: 16 << 20 })),
      'size',
      /16777216 bytes, wanted 8388608/,
    ],
    [
      'other sums in the facts',
      (forge) =>
        forge.lie(({ outputs }) => ({
          outputs: (outputs as { name: string }[]).map((each) =>
            each.name === 'boot.img' ? { ...each, sha256: '1'.repeat(64) } : each,
          ),
        })),
      'format',
      /'boot.img' would be /,
    ],
    ['facts with an unknown field', (forge) => forge.lie(() => ({ more: 1 })), 'format', /field '' is wrong/],
    [
      'another platform in the facts',
      (forge) => forge.lie(() => ({ platform: 'openwrt' })),
      'digest',
      /facts name the platform 'openwrt'/,
    ],
    [
      "another tool's image",
      (forge) => forge.replace((image) => ({ ...image, artifactType: 'x' })),
      'format',
      /its type is "x"/,
    ],
  ]
  it.each(cases)('pull refuses %s', async (_, attack, code, said) => {
    const { stick, controller, forge } = await published()
    attack(forge)
    const error = await refusal(controller, controller.pull(stick))
    expect(error).toMatchObject({ code, message: expect.stringMatching(said), hint: expect.any(String) })
  })

  it.each(['../../outside', '.state.json', 'a/b', 'slot.img', 'tiny.img', 'boot.img', 'tiny.img.bmap', ''])(
    'pull refuses a text named %j',
    async (name) => {
      const { stick, controller, forge } = await published()
      forge.replace((image) => {
        const more = { annotations: { 'org.opencontainers.image.title': name }, ...forge.put('text') }
        return { ...image, layers: [...image.layers, { mediaType: 'application/vnd.hangar.text.v1', ...more }] }
      })
      expect(await refusal(controller, controller.pull(stick))).toMatchObject({ code: 'digest' })
    },
  )

  it.each(['manifest.json', 'manifest.json.sig'])('pull refuses a second %s beside the signed one', async (name) => {
    const { stick, controller, forge } = await published()
    forge.replace((image) => {
      const more = { annotations: { 'org.opencontainers.image.title': name }, ...forge.put('mine') }
      const both = ['text', 'boot'].map((role) => ({ mediaType: `application/vnd.hangar.${role}.v1`, ...more }))
      return { ...image, layers: [...image.layers, ...both] }
    })
    expect(await refusal(controller, controller.pull(stick))).toMatchObject({
      message: expect.stringContaining(`it has a text named '${name}'`),
    })
  })

  it('pull accepts the same image without an attack (negative control)', async () => {
    const { stick, controller, forge } = await published()
    forge.replace((image) => image)
    expect((await controller.pull(stick)).outputs).toBe('written')
  })

  it('pull refuses files larger than the limit before it fetches them', async () => {
    const { stick, controller, forge } = await published()
    forge.replace((image) => ({ ...image, layers: image.layers.map((each) => ({ ...each, size: 1e12 })) }))
    expect(await refusal(controller, controller.pull(stick))).toMatchObject({
      message: expect.stringContaining('at most'),
    })
  })
})

describe('pull of a blob that changed on the disk of the registry', () => {
  it('pull refuses a blob that changed on the disk of the registry, and writes no output', async () => {
    const { port, directory } = await startDebianRegistry()
    const at = `oci://127.0.0.1:${port}/hangar`
    const [builder, controller] = [await machine(), await machine()]
    await builder.build()
    await builder.publish(at)
    const base = generationsOf(builder.store.root, 'tiny').at(-1)?.parts?.layers[0]?.digest ?? ''
    const file = join(directory, 'docker/registry/v2/blobs/sha256', base.slice(0, 2), base, 'data')
    writeFileSync(file, readFileSync(file).fill('x'))
    expect(await refusal(controller, controller.pull(at))).toMatchObject({
      code: 'digest',
      message: expect.stringContaining("sent corrupt bytes for 'base'"),
    })
  })
})

describe('trusted keys of pull', () => {
  it('pull trusts the keys in the host file, so that another builder can sign', async () => {
    const stick = join(await tempDirectory(), 'stick')
    const [builder, controller] = [await machine(), await machine()]
    const publicLine = formatPublicKey(STRANGER)
    await builder.build({ signing: { kind: 'signed', key: STRANGER, publicLine } })
    await builder.publish(stick)
    expect(await refusal(controller, controller.pull(stick))).toMatchObject({
      code: 'signature',
      hint: expect.stringContaining("hosts/tiny.ts: updates: { signingKeys: ['ssh-ed25519 …'] }"),
    })
    expect((await controller.pull(stick, { trusted: [...TINY.trusted, publicLine] })).generation).toBe(1)
  })

  it('pull refuses an empty list of trusted keys', async () => {
    const { stick, controller } = await published()
    expect(await refusal(controller, controller.pull(stick, { trusted: [] }))).toMatchObject({
      code: 'key',
      message: "no key is trusted to sign images of 'tiny'",
      hint: expect.stringContaining('hosts/tiny.ts'),
    })
  })

  it.each([
    ['host', { name: 'other' }, "is for the host 'tiny', wanted 'other'"],
    ['board', { board: 'raspberry-pi-4' }, "is for the board 'raspberry-pi-5', wanted 'raspberry-pi-4'"],
  ])('pull refuses an image for another %s even if a trusted key signed it', async (_, host, said) => {
    const { stick, controller } = await published()
    const error = await refusal(controller, controller.pull(`${stick}:tiny`, host))
    expect(error).toMatchObject({ code: 'host', message: expect.stringContaining(said) })
  })
})

describe('publish', () => {
  it('refuses an unsigned image', async () => {
    const builder = await machine()
    await builder.build({ signing: UNSIGNED })
    const stick = join(await tempDirectory(), 'stick')
    await expect(builder.publish(stick)).rejects.toMatchObject({
      code: 'signature',
      hint: expect.stringContaining('HANGAR_SIGNING_KEY'),
    })
    expect(existsSync(stick)).toBe(false)
  })

  it('refuses to publish an image for a private board and for an unknown board', async () => {
    const builder = await machine()
    await builder.build()
    const signed = pi.readManifest(readFileSync(join(builder.output, 'manifest.json'), 'utf8'), 'manifest')
    expect(() => requirePublishable('it', signed, pi)).not.toThrow()
    expect(() => requirePublishable('it', { ...signed, board: 'openwrt-one' }, pi)).toThrow(
      "cannot publish it: images for 'openwrt-one' may hold keys in clear text",
    )
    const isPublic = () => false
    expect(() => requirePublishable('it', signed, { isPublic })).toThrow('may hold keys in clear text')
  })

  it('refuses to publish a generation that is missing in the store or incomplete', async () => {
    const builder = await machine()
    const stick = join(await tempDirectory(), 'stick')
    await expect(builder.publish(stick)).rejects.toMatchObject({ message: 'this store has no image of tiny' })
    await builder.build()
    await expect(builder.publish(stick, { number: 7 })).rejects.toMatchObject({ code: 'generation' })
    const layer = generationsOf(builder.store.root, 'tiny')[0]?.parts?.layers[0]
    if (layer === undefined) return expect.fail('no layer')
    writeFileSync(builder.store.path(layer.digest), 'cut')
    await expect(builder.publish(stick)).rejects.toMatchObject({
      code: 'store',
      message: expect.stringContaining('lacks 1 file'),
    })
  })
})
