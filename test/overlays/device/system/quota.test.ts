import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostPrograms } from '../../../helpers/host-programs.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const MIB = 2 ** 20

/** Why this machine cannot mount btrfs; undefined if it can. */
function withoutBtrfs(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount a file system'
  if (!readFileSync('/proc/filesystems', 'utf8').includes('\tbtrfs\n')) return 'the kernel has no btrfs'
  if (!existsSync('/dev/loop-control')) return 'the kernel has no loop devices'
  const found = spawnSync('losetup', ['-f'], { encoding: 'utf8' })
  return found.status === 0 ? undefined : `no free loop device: ${found.error?.message ?? found.stderr.trim()}`
}

/** The scripts of the host on a real btrfs in a file. The functions below are the tests' words. */
const HARNESS = `set -u
PATH=$HERE/bin:$PATH
for name in DATA VAR FACTORY SYS RUN TEXTFILE; do export "HANGAR_$name=$HERE/$(echo $name | tr A-Z a-z)"; done
truncate -s 1G "$HERE/disk"
device=$(losetup -f --show "$HERE/disk") || exit 77
trap 'cd /; umount -R "$HERE/run/data"/* "$HERE/run/keep" "$HERE/var/log/journal" "$HERE/var/lib/systemd/timesync" "$HERE/var" "$HERE/data" 2>/dev/null; losetup -d "$device"' EXIT
block=$HANGAR_SYS/class/block
mkdir -p "$block/\${device##*/}" "$block/disk" "$HERE/data" "$HERE/var" "$HERE/factory" "$HERE/textfile"
echo 7 >"$block/\${device##*/}/partition"; echo 0 >"$block/\${device##*/}/start"
echo 2097152 | tee "$block/\${device##*/}/size" >"$block/disk/size"
# boot SLOT VOLUME...: as the initramfs and hangar-data.service do.
boot() {
  umount -R "$HERE/run/data"/* "$HERE/run/keep" "$HERE/var/log/journal" "$HERE/var/lib/systemd/timesync" "$HERE/var" "$HERE/data" 2>/dev/null
  rm -rf "$HERE/run"; mkdir "$HERE/run"
  printf 'SLOT=%s\\nDISK=/dev/disk\\nDATA=%s\\nROOT_HASH=ab\\n' "$1" "$device" >"$HERE/run/boot"
  [ "$TRIAL" = no ] || echo 'data snapshot' >"$HERE/run/trial"
  shift
  dash "$HERE/data.sh" "$@"
  cat "$HERE/run/data-failed" 2>/dev/null
}
# fill VOLUME FILE MIB: prints the error of the first write that fails, or nothing.
fill() { dd if=/dev/urandom of="$HERE/run/data/$1/$2" bs=1M count="$3" conv=fsync 2>&1 | sed -n 's/^dd: .*: //p'; }
metric() { dash "$HERE/metrics.sh"; sed -n "s/^hangar_volume_$1{volume=\\"$2\\"} //p" "$HERE/textfile/host.prom"; }
TRIAL=no
`

async function onBtrfs(words: string): Promise<string[]> {
  const directory = await tempDirectory()
  const programs = await hostPrograms()
  mkdirSync(join(directory, 'bin'))
  for (const name of ['btrfs', 'mkfs.btrfs', 'jq', 'nft'] as const) {
    writeFileSync(join(directory, 'bin', name), `#!/bin/sh\nexec ${programs[name]} "$@"\n`)
    chmodSync(join(directory, 'bin', name), 0o755)
  }
  for (const name of ['data.sh', 'metrics.sh']) {
    const text = readFileSync(join(PROJECT, 'overlays/device/system', name), 'utf8')
    writeFileSync(join(directory, name), text.replaceAll('>/dev/kmsg', `>>${join(directory, 'kmsg')}`))
  }
  const ended = spawnSync('unshare', ['--mount', '--net', 'sh', '-c', HARNESS + words], {
    env: { ...process.env, HERE: directory },
    encoding: 'utf8',
  })
  if (ended.status !== 0) throw new Error(`ended with ${ended.status}:\n${ended.stdout}${ended.stderr}`)
  return ended.stdout.split('\n').slice(0, -1)
}

const why = withoutBtrfs()
if (why !== undefined) it(`SKIPPED, no quota was filled: ${why}`, ({ skip }) => skip(why))

const [SMALL, LARGE] = [16 * MIB, 128 * MIB]

describe.skipIf(why !== undefined)('a quota on a real btrfs', { timeout: 180_000 }, () => {
  it('refuses further writes of a full service only, and lets it delete', async () => {
    const lines = await onBtrfs(`
      boot a small:0:0:${SMALL} large:0:0:${LARGE}
      echo "full: $(fill small one 30)"
      echo "again: $(fill small two 1)"
      echo "other: $(fill large one 30)"
      echo "used: $(metric used_bytes small)"
      echo "quota: $(metric quota_bytes small)"
      rm "$HERE/run/data/small/one" && echo deleted
      btrfs filesystem sync "$HERE/data"
      echo "free: $(fill small two 5)"
    `)
    const used = Number(lines.find((line) => line.startsWith('used: '))?.slice(6))
    expect(lines.filter((line) => !line.startsWith('used: '))).toEqual([
      'full: Disk quota exceeded',
      'again: Disk quota exceeded',
      'other: ',
      `quota: ${SMALL}`,
      'deleted',
      'free: ',
    ])
    expect(used).toBeGreaterThan(0.7 * SMALL)
    expect(used).toBeLessThanOrEqual(SMALL)
  })

  it('accepts the same writes without a quota (negative control)', async () => {
    expect(await onBtrfs('boot a small:0:0\necho "written: $(fill small one 30)"')).toEqual(['written: '])
  })

  it('mounts the data of a full service again, with another owner, and on a trial', async () => {
    const lines = await onBtrfs(`
      boot a small:0:0:${SMALL} other:0:0
      echo "full: $(fill small one 30)"
      boot a small:7:7:${SMALL} other:0:0
      stat -c %u "$HERE/run/data/small"
      TRIAL=yes boot b small:8:8:${SMALL} other:0:0
      stat -c %u "$HERE/run/data/small"
      echo "trial: $(fill small two 30)"
      mountpoint -q "$HERE/run/data/other" && echo mounted
    `)
    expect(lines).toEqual(['full: Disk quota exceeded', '7', '8', 'trial: Disk quota exceeded', 'mounted'])
  })

  it('counts the shared data of a trial in its own copy, and leaves the committed copy its quota', async () => {
    const lines = await onBtrfs(`
      boot a small:0:0:${SMALL}
      echo "before: $(fill small one 8)"
      btrfs filesystem sync "$HERE/data"
      TRIAL=yes boot b small:0:0:${SMALL}
      echo "trial: $(fill small two 12)"
      TRIAL=no boot a small:0:0:${SMALL}
      echo "committed: $(fill small three 4)"
    `)
    // 8 MiB of the snapshot and 12 new ones are more than the quota.
    expect(lines).toEqual(['before: ', 'trial: Disk quota exceeded', 'committed: '])
  })

  it('applies a new quota of the host file at the next boot, also below what is stored', async () => {
    const lines = await onBtrfs(`
      boot a small:0:0:${LARGE}
      echo "before: $(fill small one 30)"
      boot a small:0:0:${SMALL}
      echo "lowered: $(fill small one 40)"
      boot a small:0:0:${LARGE}
      echo "raised: $(fill small two 1)"
    `)
    expect(lines).toEqual(['before: ', 'lowered: Disk quota exceeded', 'raised: '])
  })
})
