import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BTRFS, DATA, MAGIC, MAGIC_AT, MIB, newDevice, SCRIPT } from '../../../helpers/fake-data.ts'
import { describeOnShells, type FakeDevice } from '../../../helpers/fake-device.ts'

/** The script without its checks: it treats every partition as blank. */
const weakened = SCRIPT.replace(/^is_blank\(\) .*$/m, 'is_blank() { :; }').replace(
  /^signature\(\) .*$/m,
  'signature() { :; }',
)

describeOnShells('the data volume', (shell) => {
  it('the first boot formats the data volume, with a subvolume for each service and slot', async () => {
    const { device, boot } = await newDevice(shell)
    const { code, formatted, mounts, failed, calls } = boot()
    expect([code, formatted, failed]).toEqual([0, 1, ''])
    const options = '-t btrfs -o noatime,compress=zstd:1'
    const [data, run] = [device.path(DATA), device.path('run/data')]
    expect(mounts).toEqual([
      `mount ${options} ${data} ${device.path('data')}`,
      `mount ${options},subvol=var@a ${data} ${device.path('var')}`,
      `mount ${options},subvol=keep ${data} ${device.path('run/keep')}`,
      ...['log/journal', 'lib/systemd/timesync'].map(
        (path) => `mount --bind ${device.path('run/keep')}/${path} ${device.path('var')}/${path}`,
      ),
      `mount ${options},subvol=mosquitto@a ${data} ${run}/mosquitto`,
      `mount ${options},subvol=prometheus@a ${data} ${run}/prometheus`,
    ])
    expect(calls).toContain(`chown 120:120 ${device.path('data/mosquitto@a')}`)
  })

  it('later boots never format the data volume again', async () => {
    const { boot } = await newDevice(shell)
    boot()
    const again = [boot(), boot({ slot: 'b' })]
    expect(again.map(({ formatted, failed }) => [formatted, failed])).toEqual([
      [0, ''],
      [0, ''],
    ])
  })

  it('a later boot formats the data volume without the checks (negative control)', async () => {
    const { boot } = await newDevice(shell)
    boot()
    expect(boot({ script: weakened }).formatted).toBe(1)
  })

  it.each(['ext4', 'ntfs', 'LVM2_member'])(
    'does not change a data volume with another file system: %s',
    async (type) => {
      const { device, boot } = await newDevice(shell)
      device.write('type', `${type}\n`)
      const { code, formatted, mounts, failed } = boot()
      expect([code, formatted]).toEqual([0, 0])
      expect(failed).toContain(`holds a file system of type ${type}, wanted btrfs; hangar does not change it`)
      expect(mounts).toEqual([`mount -t tmpfs -o mode=0755,size=25% var ${device.path('var')}`])
    },
  )

  it.each([0, 65536, 4 * MIB - 1])('does not change a data volume that is not blank: a byte at %d', async (offset) => {
    const { device, boot } = await newDevice(shell)
    const bytes = new Uint8Array(8 * MIB)
    bytes[offset] = 1
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain(
      'is not blank; hangar does not change it. To erase it and start with empty data: dd if=/dev/zero',
    )
    expect(readFileSync(device.path(DATA)).equals(bytes)).toBe(true)
    // Negative control: without the checks, the script formats the volume.
    expect(boot({ script: weakened }).formatted).toBe(1)
  })

  it('does not change a data volume that lost only its first superblock', async () => {
    const { device, boot } = await newDevice(shell)
    const bytes = new Uint8Array(66 * MIB)
    bytes.set(Buffer.from(MAGIC), 64 * MIB + 64)
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain('is not blank; hangar does not change it')
    expect(boot({ script: weakened }).formatted).toBe(1)
  })

  it.each(['blkid finds no file system', 'blkid finds btrfs, but the kernel cannot mount it'])(
    'repairs a data volume whose first superblock is damaged and whose second one is good: %s',
    async (how) => {
      const { device, boot } = await newDevice(shell)
      const bytes = new Uint8Array(66 * MIB)
      bytes.set(Buffer.from(MAGIC), 64 * MIB + 64)
      if (how.startsWith('blkid finds btrfs')) bytes.set(Buffer.from(MAGIC), MAGIC_AT)
      device.write(DATA, bytes)
      const repaired = device.path('repaired')
      const repair = `printf ${MAGIC} | dd of="$4" bs=1 seek=${MAGIC_AT} conv=notrunc 2>/dev/null; : >${repaired}; exit 2`
      device.fake('btrfs', BTRFS.replace('esac', `  'super-recover -y') ${repair} ;;\nesac`))
      device.fake('mount', `case "$*" in *btrfs*) [ -e ${repaired} ] || exit 32 ;; esac`)
      const { failed, formatted, said } = boot()
      expect({ failed, formatted }).toEqual({ failed: '', formatted: 0 })
      expect(said).toContain('was damaged; restored it from the second one')
    },
  )

  it.each([
    ['cannot be formatted', 'mkfs.btrfs', 'exit 1', 'cannot format'],
    ['cannot be mounted', 'mount', 'case "$*" in *btrfs*) exit 32 ;; esac', 'cannot mount'],
    ['refuses a subvolume', 'btrfs', 'exit 1', 'cannot create /var of slot a'],
    [
      'refuses the mount of one service',
      'mount',
      'case "$*" in *subvol=prometheus*) exit 32 ;; esac',
      "the data of service 'prometheus'",
    ],
  ])(
    'a data volume that %s leaves the host reachable, fills /var in memory and logs the reason',
    async (_what, name, body, reason) => {
      const { device, boot } = await newDevice(shell)
      device.fake(name, body)
      const { code, failed, said } = boot()
      expect(code).toBe(0)
      expect(failed).toContain(reason)
      expect(said).toContain(reason)
      expect(device.read('var/lib/podman')).toBe('from the image')
    },
  )

  it('uses no data volume that the initramfs did not name', async () => {
    const { device, boot } = await newDevice(shell)
    const { failed, formatted } = boot({ slot: '' })
    expect(failed).toContain('lacks the slot, the disk, the data partition or the root hash')
    expect(formatted).toBe(0)
    expect(existsSync(device.path('data/var@'))).toBe(false)
  })
})

describeOnShells('formatting that loses power', (shell) => {
  /** Allows this many writes and half of the next one, then ends the script. */
  const cutAfter = (device: FakeDevice, writes: number) =>
    device.fake(
      'dd',
      `PATH=$REAL_PATH; export PATH
case "$*" in *of=*) ;; *) exec dd "$@" ;; esac
echo >>"$FAKE_ROOT/writes"
[ "$(wc -l <"$FAKE_ROOT/writes")" -gt ${writes} ] || exec dd "$@"
kill -KILL $PPID`,
    )

  it.each([0, 1, 2, 3])(
    'a power cut after %d writes of the formatting starts it again at the next boot',
    async (writes) => {
      const { device, boot } = await newDevice(shell)
      cutAfter(device, writes)
      expect(boot().code).not.toBe(0)
      device.fake('dd', 'PATH=$REAL_PATH dd "$@"')
      const { code, failed, mounts } = boot()
      expect([code, failed]).toEqual([0, ''])
      expect(mounts[0]).toContain('-t btrfs')
      const bytes = readFileSync(device.path(DATA))
      expect(bytes.subarray(0, 65536).every((byte) => byte === 0)).toBe(true)
      expect(bytes.toString('latin1', MIB, MIB + 4)).toBe('tree')
      expect(bytes.toString('latin1', MAGIC_AT, MAGIC_AT + 8)).toBe(MAGIC)
    },
  )

  it('does not repeat a complete formatting, because it removes the mark before the mount', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const bytes = readFileSync(device.path(DATA))
    bytes.fill(0, 65536, 2 * 65536)
    bytes.write('half a file', MIB)
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain('is not blank; hangar does not change it')
  })
})

describeOnShells('/var', (shell) => {
  it('fills /var from the image once for each slot, and keeps its files', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/var@a/lib/podman', 'changed')
    boot()
    boot({ slot: 'b' })
    expect(device.read('data/var@a/lib/podman')).toBe('changed')
    expect(device.read('data/var@b/lib/podman')).toBe('from the image')
  })

  it('fills an incomplete /var again', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.run('rm -r "$1"', { args: [device.path('data/var@a/.hangar-filled')] })
    device.write('data/var@a/lib/podman', 'half')
    boot()
    expect(device.read('data/var@a/lib/podman')).toBe('from the image')
  })
})

describeOnShells('a generation', (shell) => {
  it('a generation has its own /var from its image, without files of another generation', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/var@a/lib/podman', 'changed')
    device.write('factory/lib/podman', 'from another image')
    boot({ root: 'cd'.repeat(32) })
    expect(device.read('data/var@a/lib/podman')).toBe('from another image')
    expect(device.read('data/var@a/.hangar-filled')).toBe(`${'cd'.repeat(32)}\n`)
  })

  it('a generation keeps the journal and the clock of the host', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/keep/log/journal/one', 'kept')
    boot({ root: 'cd'.repeat(32), slot: 'b' })
    expect(device.read('data/keep/log/journal/one')).toBe('kept')
  })

  it('a generation without a known root hash uses no data', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const { failed } = boot({ root: '' })
    expect(failed).toContain('lacks the slot, the disk, the data partition or the root hash')
    expect(device.read('data/var@a/lib/podman')).toBe('from the image')
  })
})

describeOnShells('the data partition', (shell) => {
  it('extends the data partition to the end of the disk before it formats the partition', async () => {
    const { boot } = await newDevice(shell, { free: 100_000 })
    const names = boot().calls.map((call) => call.split(' ')[0])
    expect(names.filter((name) => name !== 'mount')).toEqual(expect.arrayContaining(['sfdisk', 'partx', 'mkfs.btrfs']))
    expect(names.indexOf('partx')).toBeLessThan(names.indexOf('mkfs.btrfs'))
  })

  it('sfdisk changes no partition except the data partition', async () => {
    const { boot } = await newDevice(shell, { free: 100_000 })
    const { calls } = boot()
    const changing = calls.filter((call) => call.startsWith('sfdisk') && call.includes('-N'))
    expect(changing).toEqual([expect.stringMatching(/ -N 7 \/dev\/mmcblk0$/)])
    expect(calls).toContain('partx -u --nr 7 /dev/mmcblk0')
  })

  const changes = (calls: readonly string[]) => calls.filter((call) => /^(sfdisk|partx)/.test(call))

  it('does not extend the data partition of a full disk', async () => {
    expect(changes((await newDevice(shell)).boot().calls)).toEqual([])
  })

  it('does not extend the data partition if another partition follows', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.write('sys/class/block/mmcblk0/mmcblk0p8/start', '90000\n')
    const { calls, said, formatted } = boot()
    expect([changes(calls), formatted]).toEqual([[], 1])
    expect(said).toContain('cannot grow partition 7: it is not the last one')
  })

  it('extends the data partition again with its data after a new image made it small', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.write('type', 'btrfs\n')
    const { calls, formatted } = boot()
    expect([changes(calls).length, formatted]).toEqual([3, 0])
    expect(calls).toContain(`btrfs -q filesystem resize max ${device.path('data')}`)
  })

  it('uses the data partition with its current size if it cannot be extended', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.fake('sfdisk', 'exit 1')
    const { formatted, failed, said } = boot()
    expect([formatted, failed]).toEqual([1, ''])
    expect(said).toContain('to the end of /dev/mmcblk0: the volume keeps its size')
  })
})
