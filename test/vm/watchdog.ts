import { describe, expect } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import type { Scenario } from '../helpers/scenarios.ts'
import { ownerKey, type TestVm } from '../helpers/vm.ts'

/** Time of the board's clock when it starts. */
export const CLOCK = '2027-03-01T12:00:00'

const BOOT_SECONDS = 600
/**
 * Seconds until a reset: the watchdog fires after 15 s, and a panic resets after 10 s. The remaining time is for two
 * emulated cores.
 */
const RESET_SECONDS = 120
/** Seconds without a reset that prove that systemd feeds the watchdog, which otherwise fires after 15 s. */
const FED_SECONDS = 60

const SYSTEMD = 'org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager'

/** Tests of the clock, the firmware's port and the watchdog, for a host that was booted with `CLOCK`. */
export function describeBoard(machine: () => TestVm, scenario: Scenario): void {
  describe('the emulated board', () => {
    scenario.observing('the emulated board starts with the time of its clock', async () => {
      expect(await machine().shell('cat /sys/class/rtc/rtc0/date')).toBe(CLOCK.slice(0, 10))
    })

    scenario('the emulated board sets and reads the one-shot flag by its port to the firmware', async () => {
      const ask = (line: string) =>
        machine().shell(
          `port=/dev/virtio-ports/hangar.firmware; exec 3<>$port; echo "${line}" >&3; read -r answer <&3; echo "$answer"`,
        )
      expect(await ask('tryboot')).toBe('tryboot 0')
      expect(await ask('tryboot 1')).toBe('tryboot 1')
      expect(await ask('tryboot')).toBe('tryboot 1')
      expect(await ask('tryboot 0')).toBe('tryboot 0')
    })

    scenario.observing('the emulated board does not reset while systemd feeds the watchdog', async () => {
      const vm = machine()
      await eventually(async () => Number((await vm.shell('cat /proc/uptime')).split(' ')[0]) > FED_SECONDS, 120)
      // No test before this one reboots the host.
      expect(vm.resets).toEqual([])
    })
  })
}

/** Tests that reset the host. They come last on a machine that other tests share. */
export function describeResets(machine: () => TestVm, scenario: Scenario): void {
  describe('the emulated board', () => {
    scenario('the emulated board resets and boots again after a kernel panic, without its watchdog', async () => {
      // With the watchdog, either cause may reset first: it fires 15 s after systemd last fed it, and a panic resets after
      // 10 s.
      await machine().shell(`busctl set-property ${SYSTEMD} RuntimeWatchdogUSec t 0`)
      await survives(machine(), 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger', 'guest')
    })

    scenario('the watchdog resets the emulated board when user space hangs, and the board boots again', async () => {
      // systemd catches the signal and then hangs. The kernel runs on.
      await survives(machine(), 'kill -s SEGV 1', 'watchdog')
    })
  })
}

/** Runs a command that makes the host hang or reset, and waits until it has booted again. */
async function survives(vm: TestVm, command: string, reset: 'guest' | 'watchdog'): Promise<void> {
  const before = vm.resets.length
  // The host does not close the connection, so the client ends it after two missing answers.
  await vm.ssh(['-i', ownerKey(), '-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=2'], command)
  await eventually(async () => vm.resets.length === before + 1, RESET_SECONDS)
  expect(vm.resets.at(-1)).toBe(reset)
  await vm.reachable(BOOT_SECONDS)
  expect(vm.starts).toHaveLength(before + 2)
}
