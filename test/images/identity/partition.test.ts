import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../../images/disk/block-source.ts'
import { identityMembers } from '../../../images/identity/members.ts'
import { identityPartition, readIdentity } from '../../../images/identity/partition.ts'
import { IDENTITY_SIZE, MIB } from '../../../images/layout.ts'
import { tarBytes } from '../../../lib/tar.ts'
import { describeOnShells, FakeDevice, type Shell } from '../../helpers/fake-device.ts'
import { IDENTITY, PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/identity.sh'), 'utf8')
const TAR = Buffer.from('a tar that is no tar')
const SECOND = 16 * MIB

describe('identityPartition', () => {
  it('the identity partition contains the tar twice and otherwise zeros', () => {
    const bytes = Buffer.from(identityPartition(TAR))
    expect(bytes.length).toBe(IDENTITY_SIZE)
    for (const at of [0, SECOND]) {
      expect(bytes.subarray(at + 512, at + 512 + TAR.length).equals(TAR)).toBe(true)
      expect(bytes.subarray(at + 512 + TAR.length, at + SECOND).every((byte) => byte === 0)).toBe(true)
    }
  })

  it('reads the identity from the newest valid copy', () => {
    const [older, newer] = [identityPartition(TAR), identityPartition(Buffer.from('newer'), 2)]
    const mixed = Buffer.concat([older.subarray(0, SECOND), newer.subarray(SECOND)])
    expect(readIdentity(blockSourceOf(mixed))).toMatchObject({
      sequence: 2,
      tar: Uint8Array.from(Buffer.from('newer')),
    })
    mixed[SECOND + 512] = 0
    expect(readIdentity(blockSourceOf(mixed))).toMatchObject({ sequence: 1 })
    mixed[3] = 0
    expect(readIdentity(blockSourceOf(mixed))).toBeUndefined()
  })

  it('refuses an identity tar that is larger than a host reads', () => {
    expect(identityPartition(Buffer.alloc(MIB)).length).toBe(IDENTITY_SIZE)
    expect(() => identityPartition(Buffer.alloc(MIB + 1))).toThrow(expect.objectContaining({ code: 'size' }))
  })
})

async function boot(shell: Shell, partition: Uint8Array) {
  const device = await FakeDevice.under(shell)
  device.write('etc/hostname', 'tiny\n')
  device.write('dev/identity', partition)
  device.write('run/boot', `SLOT=a\nIDENTITY=${device.path('dev/identity')}\n`)
  // The script calls ssh-keygen to show the fingerprint, and to generate an identity, which fails here.
  device.fake('ssh-keygen', 'case $1 in -l) echo "256 SHA256:shown tiny" ;; *) exit 1 ;; esac')
  const env = { HANGAR_RUN: device.path('run'), HANGAR_ETC: device.path('etc') }
  const ran = device.run(SCRIPT, { args: ['load'], env })
  const read = (path: string) => device.read(`run/identity/${path}`)
  const modes = () => modesBelow(device.path('run/identity'))
  return { ...ran, read, modes, partition: () => readFileSync(device.path('dev/identity')) }
}

describeOnShells('identity.sh load', (shell) => {
  it('the host unpacks the current keys, old keys and trusted keys from the partition', async () => {
    const members = identityMembers(IDENTITY, {
      signing: ['ssh-ed25519 AAAA one', 'ssh-ed25519 BBBB two'],
      serial: { time: 1795000000, number: 2 },
    })
    const whole = identityPartition(await tarBytes(members))
    const { code, said, read, modes, partition } = await boot(shell, whole)
    expect({ code, said }).toEqual({ code: 0, said: '<3>hangar: identity: SSH host key: SHA256:shown\n' })
    expect(read('ssh/ssh_host_ed25519_key')).toBe(IDENTITY.ssh[0])
    expect(read('ssh/ssh_host_ed25519_key.pub')).toBe(`${PUBLIC_LINES[0]} tiny\n`)
    expect(read('ssh/old/ssh_host_ed25519_key.1')).toBe(IDENTITY.ssh[1])
    expect([read('age/key'), read('age/key.1')]).toEqual(['AGE-SECRET-KEY-1NEW\n', 'AGE-SECRET-KEY-1OLD\n'])
    expect(read('age/recipients')).toBe('age1new\nage1old\n')
    expect(read('machine-id')).toBe(`${IDENTITY.machineId}\n`)
    expect(read('trust/signing')).toBe('ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n')
    expect([read('trust/revoked'), read('trust/serial')]).toEqual(['', '1795000000 2\n'])
    expect(partition().equals(whole)).toBe(true)
    expect(modes()).toEqual(MODES)
  })

  it('the host repairs a damaged copy of the identity', async () => {
    const whole = identityPartition(
      await tarBytes(identityMembers(IDENTITY, { signing: [], serial: { time: 1, number: 1 } })),
    )
    const damaged = Uint8Array.from(whole)
    damaged[512 + 100] = 0xff
    const { code, said, read, partition } = await boot(shell, damaged)
    expect(code).toBe(0)
    expect(said).toContain('the copy at sector 0 is damaged or old: restoring it from the other copy')
    expect(read('machine-id')).toBe(`${IDENTITY.machineId}\n`)
    expect(partition().equals(whole)).toBe(true)
  })
})

/** Path -> octal mode. */
function modesBelow(directory: string): Record<string, string> {
  const paths = ['.', ...(readdirSync(directory, { recursive: true }) as string[])]
  return Object.fromEntries(paths.map((path) => [path, (statSync(join(directory, path)).mode & 0o777).toString(8)]))
}

const MODES = {
  '.': '700',
  age: '700',
  'age/key': '600',
  'age/key.1': '600',
  'age/recipients': '644',
  'machine-id': '644',
  ssh: '700',
  'ssh/old': '700',
  'ssh/old/ssh_host_ed25519_key.1': '600',
  'ssh/old/ssh_host_ed25519_key.1.pub': '644',
  'ssh/ssh_host_ed25519_key': '600',
  'ssh/ssh_host_ed25519_key.pub': '644',
  trust: '700',
  'trust/revoked': '644',
  'trust/serial': '644',
  'trust/signing': '644',
}
