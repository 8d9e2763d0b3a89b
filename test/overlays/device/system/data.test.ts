import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BTRFS, DATA, MAGIC, MAGIC_AT, MIB, newDevice, SCRIPT } from '../../../helpers/pretend-data.ts'
import { describeOnShells, type PretendDevice } from '../../../helpers/pretend-device.ts'

/** The script as it would be if it took every partition for a blank one without a file system. */
const careless = SCRIPT.replace(/^is_blank\(\) .*$/m, 'is_blank() { :; }').replace(
  /^signature\(\) .*$/m,
  'signature() { :; }',
)

describeOnShells('the data volume', (shell) => {
  it('is formatted at first boot, with a subvolume for each service and slot', async () => {
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

  it('is never formatted again', async () => {
    const { boot } = await newDevice(shell)
    boot()
    const again = [boot(), boot({ slot: 'b' })]
    expect(again.map(({ formatted, failed }) => [formatted, failed])).toEqual([
      [0, ''],
      [0, ''],
    ])
  })

  it('would be formatted again by a script that does not look', async () => {
    const { boot } = await newDevice(shell)
    boot()
    expect(boot({ script: careless }).formatted).toBe(1)
  })

  it.each(['ext4', 'ntfs', 'LVM2_member'])('is left as it is where it holds something else: %s', async (type) => {
    const { device, boot } = await newDevice(shell)
    device.write('type', `${type}\n`)
    const { code, formatted, mounts, failed } = boot()
    expect([code, formatted]).toEqual([0, 0])
    expect(failed).toContain(`holds a file system of another kind: ${type}, wanted btrfs`)
    expect(mounts).toEqual([`mount -t tmpfs -o mode=0755,size=25% var ${device.path('var')}`])
  })

  it.each([0, 65536, 4 * MIB - 1])('is left as it is where it is not blank: a byte at %d', async (offset) => {
    const { device, boot } = await newDevice(shell)
    const bytes = new Uint8Array(8 * MIB)
    bytes[offset] = 1
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain('is not blank; left as it is. Where nothing on it is wanted: dd if=/dev/zero')
    expect(readFileSync(device.path(DATA)).equals(bytes)).toBe(true)
    // What shows that the test would notice.
    expect(boot({ script: careless }).formatted).toBe(1)
  })

  it('is left as it is where its first superblock was lost and the second is there', async () => {
    const { device, boot } = await newDevice(shell)
    const bytes = new Uint8Array(66 * MIB)
    bytes.set(Buffer.from(MAGIC), 64 * MIB + 64)
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain('is not blank; left as it is')
    expect(boot({ script: careless }).formatted).toBe(1)
  })

  it.each(['blkid takes it for nothing', 'blkid takes it for btrfs, and the kernel does not mount it'])(
    'is mended where its first superblock is torn and the second is whole: %s',
    async (how) => {
      const { device, boot } = await newDevice(shell)
      const bytes = new Uint8Array(66 * MIB)
      bytes.set(Buffer.from(MAGIC), 64 * MIB + 64)
      if (how.startsWith('blkid takes it for btrfs')) bytes.set(Buffer.from(MAGIC), MAGIC_AT)
      device.write(DATA, bytes)
      const mended = device.path('mended')
      const mend = `printf ${MAGIC} | dd of="$4" bs=1 seek=${MAGIC_AT} conv=notrunc 2>/dev/null; : >${mended}; exit 2`
      device.pretend('btrfs', BTRFS.replace('esac', `  'super-recover -y') ${mend} ;;\nesac`))
      device.pretend('mount', `case "$*" in *btrfs*) [ -e ${mended} ] || exit 32 ;; esac`)
      const { failed, formatted, said } = boot()
      expect({ failed, formatted }).toEqual({ failed: '', formatted: 0 })
      expect(said).toContain('was damaged, and was written again')
    },
  )

  it.each([
    ['cannot be formatted', 'mkfs.btrfs', 'exit 1', 'cannot be formatted'],
    ['cannot be mounted', 'mount', 'case "$*" in *btrfs*) exit 32 ;; esac', 'cannot be mounted'],
    ['takes no subvolume', 'btrfs', 'exit 1', '/var of slot a cannot be made'],
    ['refuses one service', 'mount', 'case "$*" in *subvol=prometheus*) exit 32 ;; esac', "the data of 'prometheus'"],
  ])('that %s leaves the host reachable: /var is filled and the reason is told', async (_what, name, body, reason) => {
    const { device, boot } = await newDevice(shell)
    device.pretend(name, body)
    const { code, failed, said } = boot()
    expect(code).toBe(0)
    expect(failed).toContain(reason)
    expect(said).toContain(reason)
    expect(device.read('var/lib/podman')).toBe('from the image')
  })

  it('is not touched where the initramfs names none', async () => {
    const { device, boot } = await newDevice(shell)
    const { failed, formatted } = boot({ slot: '' })
    expect(failed).toContain('names no slot, disk, data partition or root hash')
    expect(formatted).toBe(0)
    expect(existsSync(device.path('data/var@'))).toBe(false)
  })
})

describeOnShells('formatting that is cut short', (shell) => {
  /** Lets so many writes through, half of the next, and ends the script there. */
  const cutAfter = (device: PretendDevice, writes: number) =>
    device.pretend(
      'dd',
      `PATH=$REAL_PATH; export PATH
case "$*" in *of=*) ;; *) exec dd "$@" ;; esac
echo >>"$PRETEND_ROOT/writes"
[ "$(wc -l <"$PRETEND_ROOT/writes")" -gt ${writes} ] || exec dd "$@"
kill -KILL $PPID`,
    )

  it.each([0, 1, 2, 3])('after %d writes begins again at the next boot', async (writes) => {
    const { device, boot } = await newDevice(shell)
    cutAfter(device, writes)
    expect(boot().code).not.toBe(0)
    device.pretend('dd', 'PATH=$REAL_PATH dd "$@"')
    const { code, failed, mounts } = boot()
    expect([code, failed]).toEqual([0, ''])
    expect(mounts[0]).toContain('-t btrfs')
    const bytes = readFileSync(device.path(DATA))
    expect(bytes.subarray(0, 65536).every((byte) => byte === 0)).toBe(true)
    expect(bytes.toString('latin1', MIB, MIB + 4)).toBe('tree')
    expect(bytes.toString('latin1', MAGIC_AT, MAGIC_AT + 8)).toBe(MAGIC)
  })

  it('is not taken up again once there is a file system: the mark is gone before it is mounted', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const bytes = readFileSync(device.path(DATA))
    bytes.fill(0, 65536, 2 * 65536)
    bytes.write('half a file', MIB)
    device.write(DATA, bytes)
    const { formatted, failed } = boot()
    expect(formatted).toBe(0)
    expect(failed).toContain('is not blank; left as it is')
  })
})

describeOnShells('/var', (shell) => {
  it('is filled from the image once for each slot, and what is written there stays', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/var@a/lib/podman', 'changed')
    boot()
    boot({ slot: 'b' })
    expect(device.read('data/var@a/lib/podman')).toBe('changed')
    expect(device.read('data/var@b/lib/podman')).toBe('from the image')
  })

  it('that was not filled to its end is filled again', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.run('rm -r "$1"', { args: [device.path('data/var@a/.hangar-filled')] })
    device.write('data/var@a/lib/podman', 'half')
    boot()
    expect(device.read('data/var@a/lib/podman')).toBe('from the image')
  })
})

describeOnShells('a generation', (shell) => {
  it('has a /var of its own, made from its image: another one does not find what was left there', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/var@a/lib/podman', 'changed')
    device.write('factory/lib/podman', 'from another image')
    boot({ root: 'cd'.repeat(32) })
    expect(device.read('data/var@a/lib/podman')).toBe('from another image')
    expect(device.read('data/var@a/.hangar-filled')).toBe(`${'cd'.repeat(32)}\n`)
  })

  it('keeps what is of the host and of no generation', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    device.write('data/keep/log/journal/one', 'kept')
    boot({ root: 'cd'.repeat(32), slot: 'b' })
    expect(device.read('data/keep/log/journal/one')).toBe('kept')
  })

  it('that cannot be told from another has no data', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const { failed } = boot({ root: '' })
    expect(failed).toContain('names no slot, disk, data partition or root hash')
    expect(device.read('data/var@a/lib/podman')).toBe('from the image')
  })
})

describeOnShells('the data partition', (shell) => {
  it('grows to the end of the disk before it is formatted', async () => {
    const { boot } = await newDevice(shell, { free: 100_000 })
    const names = boot().calls.map((call) => call.split(' ')[0])
    expect(names.filter((name) => name !== 'mount')).toEqual(expect.arrayContaining(['sfdisk', 'partx', 'mkfs.btrfs']))
    expect(names.indexOf('partx')).toBeLessThan(names.indexOf('mkfs.btrfs'))
  })

  it('is the one that sfdisk is told to change, and no other', async () => {
    const { boot } = await newDevice(shell, { free: 100_000 })
    const { calls } = boot()
    const changing = calls.filter((call) => call.startsWith('sfdisk') && call.includes('-N'))
    expect(changing).toEqual([expect.stringMatching(/ -N 7 \/dev\/mmcblk0$/)])
    expect(calls).toContain('partx -u --nr 7 /dev/mmcblk0')
  })

  const changes = (calls: readonly string[]) => calls.filter((call) => /^(sfdisk|partx)/.test(call))

  it('does not grow where there is no room', async () => {
    expect(changes((await newDevice(shell)).boot().calls)).toEqual([])
  })

  it('does not grow where another one comes after it', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.write('sys/class/block/mmcblk0/mmcblk0p8/start', '90000\n')
    const { calls, said, formatted } = boot()
    expect([changes(calls), formatted]).toEqual([[], 1])
    expect(said).toContain('partition 7 is not the last one')
  })

  it('grows again, with what is on it, where a new image made it small', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.write('type', 'btrfs\n')
    const { calls, formatted } = boot()
    expect([changes(calls).length, formatted]).toEqual([3, 0])
    expect(calls).toContain(`btrfs -q filesystem resize max ${device.path('data')}`)
  })

  it('that cannot grow is used as it is', async () => {
    const { device, boot } = await newDevice(shell, { free: 100_000 })
    device.pretend('sfdisk', 'exit 1')
    const { formatted, failed, said } = boot()
    expect([formatted, failed]).toEqual([1, ''])
    expect(said).toContain('cannot grow to the end of /dev/mmcblk0')
  })
})
