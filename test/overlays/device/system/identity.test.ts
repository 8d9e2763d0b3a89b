import { expect, it } from 'vitest'
import { describeOnShells } from '../../../helpers/fake-device.ts'
import {
  DD,
  FIRST,
  KEYS,
  newDevice,
  PARTITION,
  SCRIPT,
  SECOND,
  SECTOR,
  WEAKENED,
} from '../../../helpers/fake-identity-partition.ts'

describeOnShells('the identity', (shell) => {
  it('the first boot makes the identity with a machine id, and logs its fingerprint', async () => {
    const { device, boot } = await newDevice(shell)
    const { code, key, id, said, calls, run } = boot()
    expect(code).toBe(0)
    expect(key).toBe('private 1\n')
    expect(id).toMatch(/^[0-9a-f]{32}\n$/)
    expect(said).toMatch(/made a new identity at the first boot, SSH host key: SHA256:\d+/)
    expect(calls).toContain(`mount --bind ${device.path(run)}/identity/machine-id ${device.path('etc')}/machine-id`)
  })

  it('the identity stays the same at later boots', async () => {
    const { device, boot } = await newDevice(shell)
    const [first, second, third] = [boot(), boot(), boot()]
    expect([second.key, second.id]).toEqual([first.key, first.id])
    expect([third.key, third.id]).toEqual([first.key, first.id])
    expect(device.read('made')).toBe('\n')
  })

  it('only root can read the identity', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const { run } = boot()
    const modes = device.run(`ls -ld "$1"/identity "$1"/identity/ssh "$1"/identity/ssh/ssh_host_ed25519_key`, {
      args: [device.path(run)],
    })
    expect(modes.stdout.split('\n').map((line) => line.slice(4, 10))).toEqual(['------', '------', '------', ''])
  })

  it('making the identity leaves no temporary files', async () => {
    const { device, boot } = await newDevice(shell)
    const { run } = boot()
    expect(device.run('ls "$1"', { args: [device.path(run)] }).stdout).toBe('boot\nidentity\n')
  })

  it.each([
    ["the first copy's header", FIRST + 3],
    ["the first copy's digest", FIRST + 60],
    ['the first copy', FIRST + SECTOR + 600],
    ["the second copy's header", SECOND + 3],
    ['the second copy', SECOND + SECTOR + 600],
  ])('restores the identity from the other copy after damage to %s', async (_where, offset) => {
    const { boot, damage, partition } = await newDevice(shell)
    const first = boot()
    const whole = partition()
    damage(offset)
    const second = boot()
    expect(second.key).toBe(first.key)
    expect(second.said).toContain('is damaged or old: restoring it from the other copy')
    expect(partition().equals(whole)).toBe(true)
  })

  it('loads the identity from the newer copy', async () => {
    const { device, boot, partition } = await newDevice(shell)
    boot()
    const newer = partition()
    newer.set(sequenceTwo(newer), SECOND)
    device.write(PARTITION, new Uint8Array(2 * SECOND))
    boot()
    const mixed = partition()
    newer.copy(mixed, SECOND, SECOND)
    device.write(PARTITION, mixed)
    expect(boot().key).toBe('private 1\n')
    // The script has replaced the older copy.
    expect(partition().subarray(0, SECTOR)).toEqual(newer.subarray(SECOND, SECOND + SECTOR))
  })

  it('never overwrites two damaged copies: the host uses a temporary identity', async () => {
    const { boot, damage, partition } = await newDevice(shell)
    boot()
    damage(FIRST + SECTOR, SECOND + SECTOR)
    const before = partition()
    const { code, key, said } = boot()
    expect([code, key]).toEqual([0, 'private 2\n'])
    expect(said).toContain('are damaged; hangar does not overwrite them')
    expect(partition().equals(before)).toBe(true)
  })

  it('never overwrites an identity that it cannot read', async () => {
    const { device, boot, partition } = await newDevice(shell)
    boot()
    const before = partition()
    device.fake('dd', `case "$*" in *"if=$FAKE_ROOT/dev/identity"*) exit 1 ;; esac${DD}`)
    const { said } = boot()
    expect(partition().equals(before)).toBe(true)
    expect(said).toContain('make a new identity at the next boot: dd if=/dev/zero')
    // Negative control: without the check, the script overwrites the identity.
    boot(WEAKENED)
    expect(partition().equals(before)).toBe(false)
  })

  it('overwrites the identity without the check for a blank partition (negative control)', async () => {
    const { boot, damage, partition } = await newDevice(shell)
    boot()
    damage(FIRST + SECTOR, SECOND + SECTOR)
    const before = partition()
    boot(WEAKENED)
    expect(partition().equals(before)).toBe(false)
  })

  it('loads no identity from a partition that the initramfs did not name', async () => {
    const { device } = await newDevice(shell)
    device.write('run/boot', 'SLOT=a\n')
    const env = { HANGAR_RUN: device.path('run'), HANGAR_ETC: device.path('etc') }
    expect(device.run(SCRIPT, { args: ['load'], env })).toMatchObject({ code: 1, calls: [] })
    expect(device.run(SCRIPT, { env })).toMatchObject({ code: 2, calls: [] })
  })
})

describeOnShells('the list of trusted keys', (shell) => {
  it('makes the list of trusted keys from the image together with the identity', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('lib/signing', 'ssh-ed25519 CCCC of another image\n')
    device.write('lib/serial', '4 9\n')
    const { trust } = boot()
    expect([trust('signing'), trust('revoked'), trust('serial')]).toEqual([KEYS, '', '5 1\n'])
  })

  it('makes the list of trusted keys from the image for an identity without a list', async () => {
    const { device, boot } = await newDevice(shell)
    device.write('lib/signing', '')
    boot()
    device.write('lib/signing', KEYS)
    expect(boot().trust('signing')).toBe(KEYS)
  })

  it('the list of trusted keys stays empty if every key was revoked', async () => {
    const { device, boot } = await newDevice(shell)
    const { run, save } = boot()
    device.write(`${run}/identity/trust/signing`, '')
    device.write(`${run}/identity/trust/revoked`, KEYS)
    device.write(`${run}/identity/trust/serial`, '5 1\n')
    save()
    const { trust } = boot()
    expect([trust('signing'), trust('revoked'), trust('serial')]).toEqual(['', KEYS, '5 1\n'])
  })

  it('a missing list of trusted keys does not prevent an identity', async () => {
    const { device, boot } = await newDevice(shell)
    device.run('rm "$1"', { args: [device.path('lib/signing')] })
    const { code, key, said } = boot()
    expect([code, key]).toEqual([0, 'private 1\n'])
    expect(said).toContain('cannot write the keys that may sign updates')
    expect(boot().key).toBe('private 1\n')
  })
})

describeOnShells('identity save', (shell) => {
  it('identity save writes both copies, which later boots load', async () => {
    const { device, boot, damage } = await newDevice(shell)
    const { run, save } = boot()
    device.write(`${run}/identity/trust/serial`, '7 1\n')
    expect(save().code).toBe(0)
    expect(boot().trust('serial')).toBe('7 1\n')
    damage(FIRST + 3)
    expect(boot().trust('serial')).toBe('7 1\n')
  })

  it('identity save saves another directory, which the next boot uses', async () => {
    const { device, boot, damage } = await newDevice(shell)
    const { run, saveFrom, trust } = boot()
    device.run('cp -a "$1" "$2"', { args: [`${run}/identity`, 'next'] })
    device.write('next/trust/serial', '7 1\n')
    expect([saveFrom('next').code, trust('serial')]).toEqual([0, '5 1\n'])
    expect(boot().trust('serial')).toBe('7 1\n')
    damage(FIRST + 3)
    expect(boot().trust('serial')).toBe('7 1\n')
  })

  it('identity save fails if the disk does not read back the same bytes', async () => {
    const { device, boot } = await newDevice(shell)
    const { run, save } = boot()
    device.write(`${run}/identity/trust/serial`, '7 1\n')
    // This disk loses the tar and reports success.
    device.fake('dd', `case "$*" in *of=*seek=1" "*) cat >/dev/null; exit 0 ;; esac${DD}`)
    expect(save().code).toBe(1)
  })

  it('identity save refuses an identity that is too large to be loaded', async () => {
    const { device, boot, partition } = await newDevice(shell)
    const { run, save } = boot()
    const before = partition()
    device.write(`${run}/identity/large`, Buffer.alloc(1024 * 1024))
    expect([save().code, partition().equals(before)]).toEqual([1, true])
  })

  it('identity save mounts nothing and writes only the two copies', async () => {
    const { boot } = await newDevice(shell)
    expect(
      boot()
        .save()
        .calls.filter((call) => !call.startsWith('dd ')),
    ).toEqual([])
  })

  it('identity save refuses to save a temporary identity over damaged copies', async () => {
    const { boot, damage, partition } = await newDevice(shell)
    boot()
    damage(FIRST + SECTOR, SECOND + SECTOR)
    const before = partition()
    const { code, said } = boot().save()
    expect(code).toBe(1)
    expect(said).toContain('not saved, because hangar does not overwrite them')
    expect(partition().equals(before)).toBe(true)
  })
})

// Only dash, the shell of the host, runs these tests, because each power cut costs three boots.
describeOnShells(
  'a power cut',
  (shell) => {
    it('a power cut during the first write of the identity leaves none or a complete one', async () => {
      for (let writes = 0; writes < 7; writes++) {
        const { device, boot } = await newDevice(shell)
        device.write('power', String(writes))
        boot()
        device.write('power', '999')
        const [second, third] = [boot(), boot()]
        expect(second.said, `cut after ${writes} writes`).not.toContain('are damaged')
        expect([third.key, third.id], `cut after ${writes} writes`).toEqual([second.key, second.id])
      }
    })

    it('a power cut during the repair of a copy does not change the identity', async () => {
      const { device, boot, damage, partition } = await newDevice(shell)
      const { key } = boot()
      damage(FIRST + 3)
      const damaged = partition()
      for (let writes = 0; writes < 4; writes++) {
        device.write(PARTITION, damaged)
        device.write('power', String(writes))
        boot()
        device.write('power', '999')
        expect(boot().key, `cut after ${writes} writes`).toBe(key)
      }
    })

    /** The serials found after a power cut at each write while serial 7 replaces serial 0. */
    async function serialsAfterCuts(script: string, counts: 'first' | 'second') {
      const found: string[] = []
      for (let writes = 0; writes <= 6; writes++) {
        const { device, boot, damage } = await newDevice(shell)
        const { run, save, key } = boot()
        if (counts === 'second') damage(FIRST + 3)
        device.write(`${run}/identity/trust/serial`, '7 1\n')
        device.write('power', String(writes))
        save(script)
        device.write('power', '999')
        const after = boot()
        found.push(after.key === key ? after.trust('serial').trim() : 'another identity')
      }
      return found
    }

    it.each(['first', 'second'] as const)(
      'a power cut during a save leaves the old or the new identity: the %s copy is the newer one',
      async (counts) => {
        expect(await serialsAfterCuts(SCRIPT, counts)).toEqual([...Array(3).fill('5 1'), ...Array(4).fill('7 1')])
      },
    )

    it('a power cut leaves no identity if both copies are overwritten first (negative control)', async () => {
      const weakened = SCRIPT.replace(
        /^save\(\) \{$/m,
        'save() {\n  for copy in $COPIES; do dd if=/dev/zero of="$PARTITION" bs=512 seek="$copy" count=1 conv=notrunc 2>/dev/null; done',
      )
      expect(await serialsAfterCuts(weakened, 'first')).toContain('another identity')
    })
  },
  ['dash'],
)

/** The first copy of a partition, with a higher sequence number. */
function sequenceTwo(partition: Buffer): Buffer {
  const copy = Buffer.from(partition.subarray(FIRST, FIRST + 64 * SECTOR))
  copy.set(Buffer.from('sequence 2'), copy.indexOf('sequence 1'))
  return copy
}
