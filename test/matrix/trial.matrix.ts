import { describe, expect } from 'vitest'
import { fallsBack } from '../helpers/falls-back.ts'
import { healthyLab, type Lab, trialSeconds } from '../helpers/lab.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'

const INIT = 'overlays/device/initramfs/init'
const UPDATE = 'overlays/base/update.ts'
/** Seconds: longer than a boot takes, and shorter than the default, to keep the matrix short. */
const SHORT = 120
/** The reason that the committed slot reports if the trial could not report one. */
const SILENT = /it (never got as far as its health check|ended before it was healthy): a panic, a hang or a power cut/

let lab: Lab
let vm: TestVm

/** The host falls back to slot a in each scenario, so that none needs another one. */
const scenario = scenarios({
  start: async () => {
    ;({ lab, vm } = await healthyLab())
  },
  end: async () => {
    await vm?.stop()
    lab?.remove()
  },
})

describe('a trial that fails', () => {
  scenario('falls back when the kernel panics', async () => {
    lab.restore()
    lab.edit(INIT, /^main$/m, 'mount -t proc proc /proc\necho c >/proc/sysrq-trigger')
    await fallsBack(lab, vm, { reason: SILENT })
    expect(vm.resets.slice(-2)).toEqual(['guest', 'guest'])
  })

  scenario('falls back when the kernel cannot start the initramfs, and opens no shell', async () => {
    lab.restore()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is a line of the step
    const setsMode = 'chmodSync(`${ROOT}/init`, 0o755)'
    lab.edit('images/layers/initramfs/step.ts', setsMode, setsMode.replace('755', '644'))
    await fallsBack(lab, vm, { reason: SILENT })
    expect(vm.console.text).toContain('Requested init /init failed')
    expect(vm.console.text).not.toMatch(/can't access tty|job control turned off/)
  })

  scenario('falls back when the initramfs hangs', async () => {
    lab.restore()
    lab.edit(INIT, /^ {2}load_modules$/m, '  load_modules\n  while :; do sleep 60; done')
    await fallsBack(lab, vm, { reason: SILENT })
    expect(vm.resets.at(-1)).toBe('watchdog')
  })

  scenario('falls back when user space hangs', async () => {
    lab.restore()
    // systemd catches the signal and then hangs.
    lab.edit(UPDATE, 'ExecStart=/usr/lib/hangar/agent trial', 'ExecStart=/bin/kill -s SEGV 1')
    await fallsBack(lab, vm, { reason: SILENT })
    expect(vm.resets.at(-1)).toBe('watchdog')
  })

  scenario('falls back when its agent hangs and only the timer of the initramfs is left', async () => {
    lab.restore()
    lab.edit(UPDATE, 'ExecStart=/usr/lib/hangar/agent trial', 'ExecStart=/bin/sleep infinity')
    const seconds = await trialSeconds(60)
    await fallsBack(lab, vm, { reason: SILENT, flags: ['--trial-seconds', `${seconds}`] })
    expect(vm.resets.at(-1)).toBe('guest')
    expect(vm.console.text).toContain('the trial did not commit before its deadline')
  })

  scenario('falls back when the boot ends in emergency mode', async () => {
    lab.restore()
    const mount = 'LABEL=nothing /mnt ext4 defaults,x-systemd.device-timeout=2s 0 0\\n'
    lab.edit('overlays/base/identity.ts', "'/etc/fstab': file('')", `'/etc/fstab': file('${mount}')`)
    await fallsBack(lab, vm, { reason: /it came up in emergency mode/ })
  })

  scenario('falls back when its network configuration locks the controller out', async () => {
    lab.restore()
    lab.edit('hosts/adama.ts', '10.0.10.11/24', '10.0.10.77/24')
    const seconds = await trialSeconds(SHORT)
    const reason = new RegExp(`not committed within ${seconds} seconds`)
    await fallsBack(lab, vm, { reason, flags: ['--trial-seconds', `${seconds}`] })
  })

  scenario('falls back when its ssh server does not start', async () => {
    lab.restore()
    lab.edit('overlays/base/ssh.ts', 'UseDNS no', 'UseDNS perhaps')
    const flags = ['--trial-seconds', `${await trialSeconds(SHORT)}`]
    await fallsBack(lab, vm, { reason: /ssh[a-z]*\.service has failed|not committed within/, flags })
  })
})
