import { existsSync, renameSync, rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BTRFS, newDevice, SCRIPT } from '../../../helpers/fake-data.ts'
import { describeOnShells } from '../../../helpers/fake-device.ts'

describeOnShells('a trial', (shell) => {
  const MOSQUITTO = (slot: string) => `data/mosquitto@${slot}/db`

  /** Slot a has today's data. Slot b has the data of its last boot. */
  async function newTrial() {
    const { device, boot } = await newDevice(shell)
    boot({ slot: 'b' })
    boot({ slot: 'a' })
    device.write(MOSQUITTO('a'), 'today')
    device.write(MOSQUITTO('b'), 'then')
    return { device, boot }
  }

  it("a trial starts with the committed slot's data and does not change them", async () => {
    const { device, boot } = await newTrial()
    expect(boot({ slot: 'b', trial: 'snapshot' }).failed).toBe('')
    expect(device.read(MOSQUITTO('b'))).toBe('today')
    device.write(MOSQUITTO('b'), 'migrated')
    boot({ slot: 'a' })
    expect([device.read(MOSQUITTO('a')), device.read(MOSQUITTO('b'))]).toEqual(['today', 'migrated'])
  })

  it('a trial continues with its own data after its commit', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'snapshot' })
    device.write(MOSQUITTO('b'), 'migrated')
    boot({ slot: 'b' })
    expect(device.read(MOSQUITTO('b'))).toBe('migrated')
  })

  it('a trial starts with its own former data if the revert requests them', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'as-was' })
    expect([device.read(MOSQUITTO('a')), device.read(MOSQUITTO('b'))]).toEqual(['today', 'then'])
  })

  it.each(['snapshot', 'as-was'])(
    'a trial that fails (%s) keeps the former data of its slot for a revert',
    async (trial) => {
      const { device, boot } = await newTrial()
      for (const data of [trial, 'snapshot', trial]) {
        boot({ slot: 'b', trial: data })
        device.write(MOSQUITTO('b'), 'spoilt')
        boot({ slot: 'a' })
        expect(device.read(MOSQUITTO('a'))).toBe('today')
      }
      boot({ slot: 'b', trial: 'as-was' })
      expect(device.read(MOSQUITTO('b'))).toBe('then')
      const weakened = SCRIPT.replace('elif [ -d "$1" ]; then mv "$1" "$1.left"; fi', 'else delete_subvolume "$1"; fi')
      expect(weakened).not.toBe(SCRIPT)
      const spoilt = await newTrial()
      spoilt.boot({ slot: 'b', trial: 'snapshot', script: weakened })
      spoilt.boot({ slot: 'a' })
      spoilt.boot({ slot: 'b', trial: 'as-was' })
      expect(spoilt.device.read(MOSQUITTO('b'))).toBe('today')
    },
  )

  it("the next boot of either slot deletes the former data of a committed trial's slot", async () => {
    const left = 'data/mosquitto@b.left'
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'snapshot' })
    expect(device.read(`${left}/db`)).toBe('then')
    boot({ slot: 'b' })
    expect([device.has(left), device.read(MOSQUITTO('b'))]).toEqual([false, 'today'])
    const updated = await newTrial()
    updated.boot({ slot: 'b', trial: 'snapshot' })
    updated.boot({ slot: 'a', trial: 'snapshot' })
    expect([updated.device.has(left), updated.device.read(MOSQUITTO('b'))]).toEqual([false, 'today'])
    updated.boot({ slot: 'b' })
  })

  it('a fallback boot keeps both versions of the data after a failed trial', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'snapshot' })
    expect(boot({ slot: 'b', fallback: true }).failed).toBe('')
    expect([device.read(MOSQUITTO('b')), device.read('data/mosquitto@b.left/db')]).toEqual(['today', 'then'])
  })

  it('a trial finds the former data after a power cut between two renames', async () => {
    const { device, boot } = await newTrial()
    renameSync(device.path('data/mosquitto@b'), device.path('data/mosquitto@b.left'))
    boot({ slot: 'b' })
    expect([device.read(MOSQUITTO('b')), device.has('data/mosquitto@b.left')]).toEqual(['then', false])
  })

  it("a service that only the trial's slot has keeps its data there, or starts without data", async () => {
    const { device, boot } = await newTrial()
    for (const path of ['data/mosquitto@a', 'data/prometheus@a', 'data/prometheus@b'])
      rmSync(device.path(path), { recursive: true })
    expect(boot({ slot: 'b', trial: 'snapshot' }).failed).toBe('')
    expect(device.read(MOSQUITTO('b'))).toBe('then')
    expect(existsSync(device.path('data/prometheus@b'))).toBe(true)
  })

  // Boots 48 times, so that a busy machine needs more than the usual limit.
  it("a trial never changes the committed slot's data, and starts again after a power cut at any point", {
    timeout: 240_000,
  }, async () => {
    for (let calls = 0; calls < 12; calls++) {
      const { device, boot } = await newTrial()
      const count = 'echo >>"$FAKE_ROOT/count"'
      const cut = `${count}; [ "$(wc -l <"$FAKE_ROOT/count")" -le ${calls} ] || kill -KILL $PPID`
      // Quotas change no data.
      device.fake('btrfs', `case $1$2 in -qquota | -qqgroup | inspect*) ;; *) ${cut} ;; esac\n${BTRFS}`)
      boot({ slot: 'b', trial: 'snapshot' })
      device.fake('btrfs', BTRFS)
      expect(device.read(MOSQUITTO('a')), `cut at call ${calls}`).toBe('today')
      expect(boot({ slot: 'b', trial: 'snapshot' }).failed, `cut at call ${calls}`).toBe('')
      expect(device.read(MOSQUITTO('b')), `cut at call ${calls}`).toBe('today')
    }
  })

  it("a trial changes the committed slot's data without a snapshot (negative control)", async () => {
    const { device, boot } = await newTrial()
    const weakened = SCRIPT.replace('btrfs -q subvolume snapshot', 'ln -s')
    expect(weakened).not.toBe(SCRIPT)
    boot({ slot: 'b', trial: 'snapshot', script: weakened })
    device.write(MOSQUITTO('b'), 'migrated')
    expect(device.read(MOSQUITTO('a'))).toBe('migrated')
  })
})

describeOnShells('a slot that runs because autoboot.txt cannot be repaired', (shell) => {
  it('a slot uses no data if autoboot.txt cannot be repaired, because its own data are outdated', async () => {
    const { boot } = await newDevice(shell)
    boot()
    const { failed, mounts, formatted, calls } = boot({ wrong: 'slot a runs, slot b has the data' })
    expect([failed, formatted]).toEqual(['slot a runs, slot b has the data\n', 0])
    expect(mounts).toEqual([expect.stringContaining('-t tmpfs')])
    expect(calls.filter((call) => /^(btrfs|sfdisk)/.test(call))).toEqual([])
  })
})
