import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeOnShells, PretendDevice, type Shell } from '../../../helpers/pretend-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/base/device/identity.sh'), 'utf8')
/** The script as it would be if it took every partition for a blank one. */
const CARELESS = SCRIPT.replace(/^is_blank\(\) \{\n[\s\S]*?^\}$/m, 'is_blank() { :; }')
const SECTOR = 512
const FIRST = 0
const SECOND = 32768 * SECTOR
const PARTITION = 'dev/identity'

/** Makes keys that all differ: what is made twice is noticed. */
const SSH_KEYGEN = `
for last; do :; done
case $1 in
  -l) echo "256 SHA256:$(cksum <"$last" | cut -d' ' -f1) tiny (ED25519)" ;;
  *) echo >>"$PRETEND_ROOT/made"; count=$(wc -l <"$PRETEND_ROOT/made"); echo "private $count" >"$last"; echo "public $count" >"$last.pub" ;;
esac`

/** Writes as long as there is power: from the cut on nothing arrives any more. */
const DD = `
case "$*" in *of=*)
  left=$(cat "$PRETEND_ROOT/power" 2>/dev/null || echo 999)
  [ "$left" -gt 0 ] || { cat >/dev/null; exit 1; }
  echo $((left - 1)) >"$PRETEND_ROOT/power" ;;
esac
PATH=$REAL_PATH exec dd "$@"`

async function newDevice(shell: Shell) {
  const device = await PretendDevice.under(shell)
  device.write('etc/hostname', 'tiny\n')
  device.write(PARTITION, '')
  truncateSync(device.path(PARTITION), 2 * SECOND)
  device.pretend('ssh-keygen', SSH_KEYGEN)
  device.pretend('dd', DD)
  let boots = 0
  const boot = (script = SCRIPT) => {
    // What is in memory is gone after each boot.
    const run = `run${++boots}`
    device.write(`${run}/boot`, `SLOT=a\nIDENTITY=${device.path(PARTITION)}\n`)
    const env = { HANGAR_RUN: device.path(run), HANGAR_ETC: device.path('etc') }
    const ran = device.run(script, { args: ['load'], env })
    const key = device.read(`${run}/identity/ssh/ssh_host_ed25519_key`)
    return { ...ran, run, key, id: device.read(`${run}/identity/machine-id`) }
  }
  const partition = () => readFileSync(device.path(PARTITION))
  const damage = (...offsets: number[]) => {
    const bytes = partition()
    for (const offset of offsets) bytes[offset] = (bytes[offset] ?? 0) ^ 0xff
    device.write(PARTITION, bytes)
  }
  return { device, boot, partition, damage }
}

describeOnShells('the identity', (shell) => {
  it('is made at first boot, with an id for the machine, and its fingerprint is told', async () => {
    const { device, boot } = await newDevice(shell)
    const { code, key, id, said, calls, run } = boot()
    expect(code).toBe(0)
    expect(key).toBe('private 1\n')
    expect(id).toMatch(/^[0-9a-f]{32}\n$/)
    expect(said).toMatch(/made at first boot, SSH host key: SHA256:\d+/)
    expect(calls).toContain(`mount --bind ${device.path(run)}/identity/machine-id ${device.path('etc')}/machine-id`)
  })

  it('is kept: later boots find the same', async () => {
    const { device, boot } = await newDevice(shell)
    const [first, second, third] = [boot(), boot(), boot()]
    expect([second.key, second.id]).toEqual([first.key, first.id])
    expect([third.key, third.id]).toEqual([first.key, first.id])
    expect(device.read('made')).toBe('\n')
  })

  it('is not readable for others', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const { run } = boot()
    const modes = device.run(`ls -ld "$1"/identity "$1"/identity/ssh "$1"/identity/ssh/ssh_host_ed25519_key`, {
      args: [device.path(run)],
    })
    expect(modes.stdout.split('\n').map((line) => line.slice(4, 10))).toEqual(['------', '------', '------', ''])
  })

  it('leaves nothing of its work behind', async () => {
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
  ])('survives damage to %s, which is mended from the other', async (_where, offset) => {
    const { boot, damage, partition } = await newDevice(shell)
    const first = boot()
    const whole = partition()
    damage(offset)
    const second = boot()
    expect(second.key).toBe(first.key)
    expect(second.said).toContain('is damaged or old, writing it again')
    expect(partition().equals(whole)).toBe(true)
  })

  it('is that of the newer copy', async () => {
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
    // The older one was written over.
    expect(partition().subarray(0, SECTOR)).toEqual(newer.subarray(SECOND, SECOND + SECTOR))
  })

  it('that is damaged in both copies is never overwritten: the host runs with one for this boot', async () => {
    const { boot, damage, partition } = await newDevice(shell)
    boot()
    damage(FIRST + SECTOR, SECOND + SECTOR)
    const before = partition()
    const { code, key, said } = boot()
    expect([code, key]).toEqual([0, 'private 2\n'])
    expect(said).toContain('are damaged; left as they are')
    expect(partition().equals(before)).toBe(true)
  })

  it('is never overwritten where it cannot be read', async () => {
    const { device, boot, partition } = await newDevice(shell)
    boot()
    const before = partition()
    device.pretend('dd', `case "$*" in *"if=$PRETEND_ROOT/dev/identity"*) exit 1 ;; esac${DD}`)
    const { said } = boot()
    expect(partition().equals(before)).toBe(true)
    expect(said).toContain('for a new one that stays: dd if=/dev/zero')
    // What shows that the test would notice.
    boot(CARELESS)
    expect(partition().equals(before)).toBe(false)
  })

  it('would be overwritten if a partition were taken for blank that is not', async () => {
    const { boot, damage, partition } = await newDevice(shell)
    boot()
    damage(FIRST + SECTOR, SECOND + SECTOR)
    const before = partition()
    boot(CARELESS)
    expect(partition().equals(before)).toBe(false)
  })

  it('cannot be looked for where no partition is named', async () => {
    const { device } = await newDevice(shell)
    device.write('run/boot', 'SLOT=a\n')
    const env = { HANGAR_RUN: device.path('run'), HANGAR_ETC: device.path('etc') }
    expect(device.run(SCRIPT, { args: ['load'], env })).toMatchObject({ code: 1, calls: [] })
    expect(device.run(SCRIPT, { env })).toMatchObject({ code: 2, calls: [] })
  })
})

// Under the shell that it runs under on a host: each cut costs three boots.
describeOnShells(
  'a power cut',
  (shell) => {
    it('while the identity is first written leaves either none or a whole one', async () => {
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

    it('while a copy is mended leaves the identity what it was', async () => {
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
  },
  ['dash'],
)

/** The first copy of a partition, as one that was written later. */
function sequenceTwo(partition: Buffer): Buffer {
  const copy = Buffer.from(partition.subarray(FIRST, FIRST + 64 * SECTOR))
  copy.set(Buffer.from('sequence 2'), copy.indexOf('sequence 1'))
  return copy
}
