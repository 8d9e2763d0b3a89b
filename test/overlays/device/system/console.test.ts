import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeOnShells, FakeDevice, type Shell } from '../../../helpers/fake-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/console.sh'), 'utf8')

async function newDevice(shell: Shell) {
  const device = await FakeDevice.under(shell)
  device.write('etc/hostname', 'tiny\n')
  device.write('run/boot', `SLOT=b\nTRYBOOT=0\nROOT_HASH=${'0123456789abcdef'.repeat(4)}\n`)
  device.fake('bash')
  device.fake('ip', 'echo "2: end0 inet 192.0.2.10/24 scope global end0"')
  device.fake('systemctl', 'cat "$FAKE_ROOT/unwell" 2>/dev/null')
  device.fake('ssh-keygen', 'echo "256 SHA256:abc tiny (ED25519)"')
  device.fake('agent', 'cat "$FAKE_ROOT/answer" 2>/dev/null; [ "$1" != revert ] || exit "$(cat "$FAKE_ROOT/code")"')
  // The menu must not start a shell of the machine that runs the test.
  const script = SCRIPT.replaceAll('/bin/bash', device.path('bin/bash')).replaceAll(
    '/etc/hostname',
    device.path('etc/hostname'),
  )
  const type = (lines: readonly string[], ...args: string[]) => {
    const ran = device.run(script, {
      args,
      input: lines.map((line) => `${line}\n`).join(''),
      env: { HANGAR_RUN: device.path('run'), HANGAR_LIB: device.path('bin') },
    })
    const asked = ran.calls.filter((call) => /^(bash|agent|systemctl (reboot|poweroff))/.test(call))
    return { ...ran, asked }
  }
  return { device, type }
}

describeOnShells('the console', (shell) => {
  it('the console prints the slot, the generation, the addresses and the units', async () => {
    const { device, type } = await newDevice(shell)
    const { stdout, asked } = type(['s'])
    expect(stdout).toMatch(/slot +b, committed\n/)
    expect(stdout).toMatch(/generation +0123456789ab\n/)
    expect(stdout).toMatch(/addresses +192\.0\.2\.10\/24\n/)
    expect(stdout).toMatch(/ssh key +SHA256:abc\n/)
    expect(stdout).toMatch(/units +all active\n/)
    expect(asked).toEqual([])
    device.write('unwell', 'mosquitto.service loaded failed failed\nssh.service loaded failed failed\n')
    device.write('run/data-failed', 'no disk\n')
    device.write('run/fallback', '')
    expect(type([]).stdout).toMatch(/slot +b, fallback boot, not committed \(npm run status prints why\)\n/)
    device.write('run/committed', '')
    expect(type([]).stdout).toMatch(/slot +b, committed\n/)
    device.write('run/boot', 'SLOT=a\nTRYBOOT=1\n')
    device.write('run/trial', 'id one\n')
    device.write('run/reasons', 'service mosquitto is not healthy: activating\n')
    const unwell = type([]).stdout
    expect(unwell).toMatch(/units +mosquitto\.service, ssh\.service\n/)
    expect(unwell).toMatch(/data +no disk\n/)
    expect(unwell).toMatch(/slot +a, on trial: service mosquitto is not healthy: activating\n/)
  })

  it('the console prints that starts failed', async () => {
    const { device, type } = await newDevice(shell)
    device.write('run/starts', '')
    expect(type([]).stdout).not.toContain('starts ')
    device.write('run/starts', 'slot b took the place of slot a: a panic\n')
    expect(type([]).stdout).toMatch(/starts +slot b took the place of slot a: a panic\n/)
  })

  it('the console offers status, reboot, power off and revert, but no shell', async () => {
    const { type } = await newDevice(shell)
    const { stdout } = type([])
    expect(stdout).toContain('[s]tatus  [r]eboot  [p]ower off  [b]ack to the other slot (revert) > ')
    expect(stdout).not.toContain('s[h]ell')
  })

  it('the console reboots the machine after a confirmation', async () => {
    const { type } = await newDevice(shell)
    expect(type(['r', 'yes']).asked).toEqual(['systemctl reboot'])
    expect(type(['p', 'yes']).asked).toEqual(['systemctl poweroff'])
    expect(type(['reboot', 'yes']).stdout).toContain('Reboot tiny? Type yes: ')
  })

  it.each(['no', '', 'y', 'yes please'])('the console does not reboot if the answer is %j', async (answer) => {
    const { type } = await newDevice(shell)
    expect(type(['r', answer, 'p', answer]).asked).toEqual([])
  })

  it.each([[[]], [['none']], [['rooty']]])(
    'the console gives no shell with the arguments %j for any input',
    async (args) => {
      const { device, type } = await newDevice(shell)
      const bad = [
        'h',
        'shell',
        'bash',
        '$(touch "$FAKE_ROOT/owned")',
        '`touch "$FAKE_ROOT/owned"`',
        '; bash',
        '*',
        '\\',
      ]
      expect(type(bad, ...args).asked).toEqual([])
      expect(existsSync(device.path('owned'))).toBe(false)
    },
  )

  it('the console gives a root shell if the host file enables it', async () => {
    const { type } = await newDevice(shell)
    const { stdout, asked } = type(['h'], 'root')
    expect(stdout).toContain('root s[h]ell')
    expect(asked).toEqual(['bash -l'])
  })

  it.each([
    ['t', 'agent revert'],
    ['w', 'agent revert --with-data'],
  ])('the console reverts to the other slot, with the chosen data: %s', async (which, call) => {
    const { device, type } = await newDevice(shell)
    device.write('answer', '{"ok":true,"id":"revert-1","slot":"a","root":"ab"}\n')
    device.write('code', '0')
    const { stdout, asked } = type(['b', 'yes', which])
    expect(asked).toEqual([call, 'agent reboot'])
    expect(stdout).toContain('rebooting into slot a on trial')
  })

  it.each([[['b', 'no']], [['b', 'yes', '']], [['b', 'yes', 'x']], [['b', 'yes']]])(
    'the console does not revert without an answer: %j',
    async (lines) => {
      const { type } = await newDevice(shell)
      expect(type(lines).asked).toEqual([])
    },
  )

  it('the console prints why it cannot revert, and does not reboot', async () => {
    const { device, type } = await newDevice(shell)
    device.write('answer', '{"error":{"code":"state","message":"slot b holds nothing","hint":"flash it"}}\n')
    device.write('code', '1')
    const { stdout, asked } = type(['b', 'yes', 't'])
    expect(asked).toEqual(['agent revert'])
    expect(stdout).toContain('slot b holds nothing; flash it')
  })

  it('the console names an unknown choice and prompts again', async () => {
    const { type } = await newDevice(shell)
    expect(type(['dance', 's']).stdout).toMatch(/unknown choice: dance\n.*\n *\n? *host /s)
  })
})
