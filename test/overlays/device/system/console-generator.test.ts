import { expect, it } from 'vitest'
import { unitFiles } from '../../../../overlays/base/units.ts'
import { describeOnShells, FakeDevice, type Shell } from '../../../helpers/fake-device.ts'
import { textAt } from '../../../helpers/file-tree.ts'

const GENERATOR = textAt(unitFiles({ data: [], shell: 'none' }), '/usr/lib/systemd/system-generators/hangar-console')

async function consolesFor(shell: Shell, active: string) {
  const device = await FakeDevice.under(shell)
  device.write('active', `${active}\n`)
  const script = GENERATOR.replace('/sys/class/tty/console/active', device.path('active'))
  const { code } = device.run(script, { args: [device.path('units')] })
  const listed = device.run('ls "$1" 2>/dev/null', { args: [device.path('units/getty.target.wants')] }).stdout
  return { code, units: listed.split('\n').filter(Boolean) }
}

describeOnShells('the menu on a serial console', (shell) => {
  it.each([
    ['tty0 ttyAMA10', ['hangar-console@ttyAMA10.service']],
    ['ttyAMA0 ttyS0', ['hangar-console@ttyAMA0.service', 'hangar-console@ttyS0.service']],
    // The screen is not in the list, because it has its own menu.
    ['tty1', []],
    ['', []],
  ])("the menu runs on each serial console that the kernel uses: '%s'", async (active, units) => {
    expect(await consolesFor(shell, active)).toEqual({ code: 0, units })
  })
})
