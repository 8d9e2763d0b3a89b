import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adama } from '../../hosts/adama.ts'
import { bootHost, eventually, ownerKey, type TestVm } from '../helpers/vm.ts'

const BOOT_SECONDS = 600
/** 15 s until the dog bites, or 10 s of a panic's own; the rest is for two emulated cores. */
const RESET_SECONDS = 120

const SYSTEMD = 'org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager'

let vm: TestVm

beforeAll(async () => {
  vm = await bootHost({ host: adama, clock: '2027-03-01T12:00:00' })
  await vm.reachable(BOOT_SECONDS)
})

afterAll(async () => {
  await vm?.stop()
})

/** Says something that ends the machine's run, and sees it come back through the firmware. */
async function survives(lastWords: string, reset: 'guest' | 'watchdog'): Promise<void> {
  const before = vm.resets.length
  // Nobody answers any more: the connection ends when this side gives up.
  await vm.ssh(['-i', ownerKey(), '-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=2'], lastWords)
  await eventually(async () => vm.resets.length === before + 1, RESET_SECONDS)
  expect(vm.resets.at(-1)).toBe(reset)
  await vm.reachable(BOOT_SECONDS)
  expect(vm.starts).toHaveLength(before + 2)
}

describe('the emulated board', () => {
  it('starts with the time of its clock', async () => {
    expect(await vm.shell('cat /sys/class/rtc/rtc0/date')).toBe('2027-03-01')
  })

  it('sets and reads the one-shot flag by its port to the firmware', async () => {
    const ask = (line: string) =>
      vm.shell(
        `port=/dev/virtio-ports/hangar.firmware; exec 3<>$port; echo "${line}" >&3; read -r answer <&3; echo "$answer"`,
      )
    expect(await ask('tryboot')).toBe('tryboot 0')
    expect(await ask('tryboot 1')).toBe('tryboot 1')
    expect(await ask('tryboot')).toBe('tryboot 1')
    expect(await ask('tryboot 0')).toBe('tryboot 0')
  })

  it('comes back through the firmware after a panic of the kernel, without its watchdog', async () => {
    // Either may be the first: the dog bites 15 s after it was last fed, a panic reboots after 10.
    await vm.shell(`busctl set-property ${SYSTEMD} RuntimeWatchdogUSec t 0`)
    await survives('echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger', 'guest')
  })

  it('comes back by its watchdog when user space is frozen', async () => {
    // systemd catches it, says so, and does nothing ever after; the kernel itself runs on.
    await survives('kill -s SEGV 1', 'watchdog')
  })

  it('is left alone while systemd feeds the watchdog', async () => {
    const before = vm.resets.length
    await sleep(60_000)
    expect(vm.resets).toHaveLength(before)
    await vm.shell('true')
  })
})
