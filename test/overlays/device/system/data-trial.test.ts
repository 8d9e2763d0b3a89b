import { existsSync, renameSync, rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BTRFS, newDevice, SCRIPT } from '../../../helpers/pretend-data.ts'
import { describeOnShells } from '../../../helpers/pretend-device.ts'

describeOnShells('a trial', (shell) => {
  const MOSQUITTO = (slot: string) => `data/mosquitto@${slot}/db`

  /** Slot a has data of today, slot b of when it last ran. */
  async function newTrial() {
    const { device, boot } = await newDevice(shell)
    boot({ slot: 'b' })
    boot({ slot: 'a' })
    device.write(MOSQUITTO('a'), 'today')
    device.write(MOSQUITTO('b'), 'then')
    return { device, boot }
  }

  it("begins with the committed slot's data, and leaves those as they are", async () => {
    const { device, boot } = await newTrial()
    expect(boot({ slot: 'b', trial: 'snapshot' }).failed).toBe('')
    expect(device.read(MOSQUITTO('b'))).toBe('today')
    device.write(MOSQUITTO('b'), 'migrated')
    boot({ slot: 'a' })
    expect([device.read(MOSQUITTO('a')), device.read(MOSQUITTO('b'))]).toEqual(['today', 'migrated'])
  })

  it('goes on with its own data once it is committed', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'snapshot' })
    device.write(MOSQUITTO('b'), 'migrated')
    boot({ slot: 'b' })
    expect(device.read(MOSQUITTO('b'))).toBe('migrated')
  })

  it('runs on the data as they were where that is asked for', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'as-was' })
    expect([device.read(MOSQUITTO('a')), device.read(MOSQUITTO('b'))]).toEqual(['today', 'then'])
  })

  it.each(['snapshot', 'as-was'])(
    'that fails (%s) takes nothing from what its slot left: it can be gone back to',
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
      const careless = SCRIPT.replace('elif [ -d "$1" ]; then mv "$1" "$1.left"; fi', 'else forget "$1"; fi')
      expect(careless).not.toBe(SCRIPT)
      const spoilt = await newTrial()
      spoilt.boot({ slot: 'b', trial: 'snapshot', script: careless })
      spoilt.boot({ slot: 'a' })
      spoilt.boot({ slot: 'b', trial: 'as-was' })
      expect(spoilt.device.read(MOSQUITTO('b'))).toBe('today')
    },
  )

  it('that is committed ends what its slot left before, at the next start of either', async () => {
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

  it('that failed leaves both where its slot then runs without being committed', async () => {
    const { device, boot } = await newTrial()
    boot({ slot: 'b', trial: 'snapshot' })
    expect(boot({ slot: 'b', fallback: true }).failed).toBe('')
    expect([device.read(MOSQUITTO('b')), device.read('data/mosquitto@b.left/db')]).toEqual(['today', 'then'])
  })

  it('of which the power took the copy between two names finds what the slot left', async () => {
    const { device, boot } = await newTrial()
    renameSync(device.path('data/mosquitto@b'), device.path('data/mosquitto@b.left'))
    boot({ slot: 'b' })
    expect([device.read(MOSQUITTO('b')), device.has('data/mosquitto@b.left')]).toEqual(['then', false])
  })

  it('of a service that the committed slot has no data of keeps its own, or begins with none', async () => {
    const { device, boot } = await newTrial()
    for (const path of ['data/mosquitto@a', 'data/prometheus@a', 'data/prometheus@b'])
      rmSync(device.path(path), { recursive: true })
    expect(boot({ slot: 'b', trial: 'snapshot' }).failed).toBe('')
    expect(device.read(MOSQUITTO('b'))).toBe('then')
    expect(existsSync(device.path('data/prometheus@b'))).toBe(true)
  })

  it('never touches what the committed slot has, wherever the power is cut, and begins again', async () => {
    for (let calls = 0; calls < 12; calls++) {
      const { device, boot } = await newTrial()
      const count = 'echo >>"$PRETEND_ROOT/count"'
      device.pretend(
        'btrfs',
        `${count}; [ "$(wc -l <"$PRETEND_ROOT/count")" -le ${calls} ] || kill -KILL $PPID\n${BTRFS}`,
      )
      boot({ slot: 'b', trial: 'snapshot' })
      device.pretend('btrfs', BTRFS)
      expect(device.read(MOSQUITTO('a')), `cut at call ${calls}`).toBe('today')
      expect(boot({ slot: 'b', trial: 'snapshot' }).failed, `cut at call ${calls}`).toBe('')
      expect(device.read(MOSQUITTO('b')), `cut at call ${calls}`).toBe('today')
    }
  })

  it('would change what the committed slot has if it ran on that', async () => {
    const { device, boot } = await newTrial()
    const careless = SCRIPT.replace('btrfs -q subvolume snapshot', 'ln -s')
    expect(careless).not.toBe(SCRIPT)
    boot({ slot: 'b', trial: 'snapshot', script: careless })
    device.write(MOSQUITTO('b'), 'migrated')
    expect(device.read(MOSQUITTO('a'))).toBe('migrated')
  })
})

describeOnShells('a slot that only runs because autoboot.txt cannot be mended', (shell) => {
  it("touches no data: its own are not today's", async () => {
    const { boot } = await newDevice(shell)
    boot()
    const { failed, mounts, formatted, calls } = boot({ wrong: 'slot a runs, slot b has the data' })
    expect([failed, formatted]).toEqual(['slot a runs, slot b has the data\n', 0])
    expect(mounts).toEqual([expect.stringContaining('-t tmpfs')])
    expect(calls.filter((call) => /^(btrfs|sfdisk)/.test(call))).toEqual([])
  })
})
