import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { formatPrivateKey, formatPublicKey, keyFromSeed, parsePrivateKey } from '../../images/signature/openssh-key.ts'
import { signText } from '../../images/signature/sshsig.ts'
import { eventually } from '../helpers/eventually.ts'
import { agentStatus, healthy, healthyLab, type Lab, must, reboot } from '../helpers/lab.ts'
import { scenarios } from '../helpers/scenarios.ts'
import { ownerKey, type TestVm } from '../helpers/vm.ts'

const SERVICE = 'overlays/services/mosquitto/service.ts'
const HOST = 'hosts/adama.ts'
const NEXT = keyFromSeed(Buffer.alloc(32, 11), 'next')
const OWNERS_KEY = process.env.HANGAR_SIGNING_KEY ?? join(dirname(ownerKey()), 'signing_key')
const NEXT_LINE = formatPublicKey(NEXT)
/** Returns a public key without its comment. */
const bare = (line: string) => line.split(' ').slice(0, 2).join(' ')

let lab: Lab
let vm: TestVm

const scenario = scenarios({
  start: async () => {
    ;({ lab, vm } = await healthyLab())
    writeFileSync(`${lab.disk}.next-key`, formatPrivateKey(NEXT), { mode: 0o600 })
  },
  end: async () => {
    await vm?.stop()
    lab?.remove()
  },
})

const ROTATED = 'a flash sends a rotated SSH host key without a reboot, and the host keeps the old key'
const BAD_STREAM = 'the host refuses a truncated or random stream, and its slot stays unbootable'
const TRUSTED = 'a signing key becomes trusted by an image that names it and that a trusted key signed'
const REVOKED = 'the commit of an image that no longer names a signing key revokes the key'

const signWithNext = () => lab.setEnv({ HANGAR_SIGNING_KEY: `${lab.disk}.next-key` })
const signWithOwnersKey = () => lab.setEnv({})

async function refused(...flags: string[]) {
  const before = await agentStatus(vm)
  const { code, stderr } = await lab.onHost(vm, 'flash', ...flags)
  expect(code).toBe(1)
  const { slot, slots, state } = await agentStatus(vm)
  expect({ slot, slots, state }).toEqual({ slot: before.slot, slots: before.slots, state: 'committed' })
  return stderr
}

describe('a rotated SSH host key', () => {
  const keys = async () => (await agentStatus(vm)).identity?.ssh ?? []
  const shownKey = () => vm.shell("ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | grep '^127' | cut -d ' ' -f 2,3")

  scenario(ROTATED, async () => {
    const [before, { bootId }] = [await keys(), await agentStatus(vm)]
    await must(lab.hangar('init', 'adama', '--rotate', 'ssh'))
    expect(await must(lab.onHost(vm, 'flash', '--no-build'))).toContain('received its new keys')
    const [newest, ...former] = await keys()
    expect([former, (await agentStatus(vm)).bootId]).toEqual([before, bootId])
    await eventually(async () => (await shownKey()) === newest, 60)
    expect(await must(lab.onHost(vm, 'flash', '--no-build'))).toContain('nothing to do')
  })

  const showsBoth = async () => {
    const before = await keys()
    await reboot(vm)
    await healthy(vm)
    expect([await shownKey(), await keys()]).toEqual([before[0], before])
    expect(await must(lab.onHost(vm, 'flash', '--no-build'))).toContain('nothing to do')
  }
  scenario('the host shows the rotated SSH key after a reboot, and the repository knows both keys', showsBoth, {
    after: [ROTATED],
  })
})

describe('an image for another host', () => {
  scenario('the host itself refuses an image for another host before it writes a byte', async () => {
    const key = parsePrivateKey(readFileSync(OWNERS_KEY, 'utf8'), OWNERS_KEY)
    const ours = readFileSync(join(lab.directory, 'out/adama/manifest.json'), 'utf8')
    const manifest = ours.replace('"host": "adama"', '"host": "starbuck"')
    const parts = [manifest, signText(manifest, key)].map((text) => Buffer.from(text))
    const before = await agentStatus(vm)
    const sent = parts.map((part) => `echo ${part.toString('base64')} | base64 -d`).join('; ')
    const sizes = parts.map(({ length }) => length).join(' ')
    const said = await vm.shell(`{ ${sent}; } | /usr/lib/hangar/agent write begin me@laptop:x ${sizes} || :`)
    // First, so that a failure below does not keep other controllers out for ten minutes.
    await vm.shell('/usr/lib/hangar/agent release me@laptop:x')
    expect(JSON.parse(said)).toMatchObject({
      error: { code: 'foreign', message: "the image is for host 'starbuck', but this is host 'adama'" },
    })
    expect((await agentStatus(vm)).slots).toEqual(before.slots)
  })
})

describe('a transfer that differs from the signed image', () => {
  scenario(BAD_STREAM, async () => {
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 301')
    await must(lab.hangar('build', 'adama'))
    const command = await lab.begin(vm, '--full', '--no-build')
    const ended = once(command, 'close')
    await eventually(async () => (await agentStatus(vm)).update?.phase === 'writing', 600)
    command.kill('SIGKILL')
    await ended
    const blocks = 'agent=/usr/lib/hangar/agent; owner=$(sed -n "s/^owner //p" /run/hangar/lock); '
    const noise = await vm.shell(`${blocks} head -c 100000 /dev/urandom | $agent write blocks "$owner" slot || :`)
    expect(JSON.parse(noise)).toMatchObject({ error: { code: 'stream' } })
    const cut = await vm.shell(`${blocks} printf HGB1 | zstd -qc | $agent write blocks "$owner" slot || :`)
    expect(JSON.parse(cut)).toMatchObject({ error: { code: 'stream' } })
  })

  const readsBack = async () => {
    const record =
      "{ printf 'HGB1\\0\\0\\0\\5\\0\\0\\0\\1'; head -c 4096 /dev/zero; printf 'HGB1\\377\\377\\377\\377\\0\\0\\0\\0'; }"
    const owner = 'agent=/usr/lib/hangar/agent; owner=$(sed -n "s/^owner //p" /run/hangar/lock); '
    await vm.shell(`${owner} ${record} | zstd -qc | $agent write blocks "$owner" slot`)
    const finished = await vm.shell(`${owner} head -c 4096 /dev/urandom | $agent write finish "$owner" || :`)
    expect(JSON.parse(finished)).toMatchObject({ error: { code: 'incomplete' } })
    expect((await agentStatus(vm)).slots.b).toEqual({ state: 'unbootable' })
    await reboot(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed' })
  }
  scenario('the host refuses an image when it reads back a changed block', readsBack, { after: [BAD_STREAM] })
})

describe('a signing key that the host does not trust', () => {
  scenario('the host refuses images that an untrusted key signed', async () => {
    signWithNext()
    expect(await refused()).toContain('not signed by a key that adama trusts')
  })

  scenario(TRUSTED, async () => {
    signWithOwnersKey()
    lab.edit(HOST, 'number: 1', `number: 2,\n  updates: { signingKeys: ['${NEXT_LINE}'] }`)
    await must(lab.onHost(vm, 'flash'))
    const { trust, slot } = await agentStatus(vm)
    expect([slot, trust.signing.length, trust.revoked]).toEqual(['b', 2, []])
    expect(trust.signing).toContain(bare(NEXT_LINE))
    expect(trust.serial.number).toBe(2)
  })
})

describe('a signing key that an image no longer names', () => {
  let old: string

  const revokes = async () => {
    old = (await agentStatus(vm)).trust.signing.find((line) => line !== bare(NEXT_LINE)) ?? ''
    signWithNext()
    lab.restore()
    lab.edit(HOST, 'number: 1', 'number: 3')
    await must(lab.onHost(vm, 'flash'))
    expect((await agentStatus(vm)).trust).toMatchObject({ signing: [bare(NEXT_LINE)], revoked: [old] })
  }
  scenario(REVOKED, revokes, { after: [TRUSTED] })

  const staysRevoked = async () => {
    await must(lab.onHost(vm, 'revert'))
    const { trust, slot } = await agentStatus(vm)
    expect(slot).toBe('b')
    expect(trust).toMatchObject({ signing: [bare(NEXT_LINE)], revoked: [old] })
    signWithOwnersKey()
    lab.edit(HOST, 'number: 3', 'number: 4')
    expect(await refused()).toContain('not signed by a key that adama trusts (1 trusted)')
  }
  scenario('a revoked key stays revoked after a revert to a slot that names it', staysRevoked, { after: [REVOKED] })
})

describe('an image', () => {
  const refusesOlder = async () => {
    signWithNext()
    lab.restore()
    expect(await refused()).toMatch(/serial .* is smaller than the committed serial of 'adama'/)
    expect(await must(lab.onHost(vm, 'flash', '--allow-downgrade', '--dry-run'))).toContain(
      'an older serial is allowed',
    )
  }
  scenario('the host refuses an image older than the committed one without --allow-downgrade', refusesOlder, {
    after: [REVOKED],
  })
})
