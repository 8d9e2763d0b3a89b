import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeOnShells, PretendDevice, type Shell } from '../../../helpers/pretend-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SCRIPT = readFileSync(join(PROJECT, 'overlays/device/system/console.sh'), 'utf8')

async function newDevice(shell: Shell) {
  const device = await PretendDevice.under(shell)
  device.write('etc/hostname', 'tiny\n')
  device.write('run/boot', `SLOT=b\nTRYBOOT=0\nROOT_HASH=${'0123456789abcdef'.repeat(4)}\n`)
  device.pretend('bash')
  device.pretend('ip', 'echo "2: end0 inet 192.0.2.10/24 scope global end0"')
  device.pretend('systemctl', 'cat "$PRETEND_ROOT/unwell" 2>/dev/null')
  device.pretend('ssh-keygen', 'echo "256 SHA256:abc tiny (ED25519)"')
  device.pretend(
    'agent',
    'cat "$PRETEND_ROOT/answer" 2>/dev/null; [ "$1" != revert ] || exit "$(cat "$PRETEND_ROOT/code")"',
  )
  // A shell of this machine must not be what the menu starts.
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
  it('says which slot and generation runs, where the host is, and how it is', async () => {
    const { device, type } = await newDevice(shell)
    const { stdout, asked } = type(['s'])
    expect(stdout).toMatch(/slot +b, committed\n/)
    expect(stdout).toMatch(/generation +0123456789ab\n/)
    expect(stdout).toMatch(/addresses +192\.0\.2\.10\/24\n/)
    expect(stdout).toMatch(/ssh key +SHA256:abc\n/)
    expect(stdout).toMatch(/units +all well\n/)
    expect(asked).toEqual([])
    device.write('unwell', 'mosquitto.service loaded failed failed\nssh.service loaded failed failed\n')
    device.write('run/data-failed', 'no disk\n')
    device.write('run/fallback', '')
    expect(type([]).stdout).toMatch(/slot +b, runs as it is, and is not committed\n/)
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

  it('offers status and restart, and no shell', async () => {
    const { type } = await newDevice(shell)
    const { stdout } = type([])
    expect(stdout).toContain('[s]tatus  [r]eboot  [p]ower off  go [b]ack to the other slot > ')
    expect(stdout).not.toContain('s[h]ell')
  })

  it('starts the machine again when that is confirmed', async () => {
    const { type } = await newDevice(shell)
    expect(type(['r', 'yes']).asked).toEqual(['systemctl reboot'])
    expect(type(['p', 'yes']).asked).toEqual(['systemctl poweroff'])
    expect(type(['reboot', 'yes']).stdout).toContain('Reboot tiny? Type yes: ')
  })

  it.each(['no', '', 'y', 'yes please'])('does not where the answer is %j', async (answer) => {
    const { type } = await newDevice(shell)
    expect(type(['r', answer, 'p', answer]).asked).toEqual([])
  })

  it.each([[[]], [['none']], [['rooty']]])('gives no shell with the arguments %j, whatever is typed', async (args) => {
    const { device, type } = await newDevice(shell)
    const bad = [
      'h',
      'shell',
      'bash',
      '$(touch "$PRETEND_ROOT/owned")',
      '`touch "$PRETEND_ROOT/owned"`',
      '; bash',
      '*',
      '\\',
    ]
    expect(type(bad, ...args).asked).toEqual([])
    expect(existsSync(device.path('owned'))).toBe(false)
  })

  it('gives a shell where the host file says so', async () => {
    const { type } = await newDevice(shell)
    const { stdout, asked } = type(['h'], 'root')
    expect(stdout).toContain('root s[h]ell')
    expect(asked).toEqual(['bash -l'])
  })

  it.each([
    ['t', 'agent revert'],
    ['w', 'agent revert --with-data'],
  ])('goes back to the other slot, with the data that are asked for: %s', async (which, call) => {
    const { device, type } = await newDevice(shell)
    device.write('answer', '{"ok":true,"id":"revert-1","slot":"a","root":"ab"}\n')
    device.write('code', '0')
    const { stdout, asked } = type(['b', 'yes', which])
    expect(asked).toEqual([call, 'agent reboot'])
    expect(stdout).toContain('starting slot a on trial')
  })

  it.each([[['b', 'no']], [['b', 'yes', '']], [['b', 'yes', 'x']], [['b', 'yes']]])(
    'goes nowhere where that is not answered: %j',
    async (lines) => {
      const { type } = await newDevice(shell)
      expect(type(lines).asked).toEqual([])
    },
  )

  it('says why it cannot go back, and does not start again', async () => {
    const { device, type } = await newDevice(shell)
    device.write('answer', '{"error":{"code":"state","message":"slot b holds nothing","hint":"flash it"}}\n')
    device.write('code', '1')
    const { stdout, asked } = type(['b', 'yes', 't'])
    expect(asked).toEqual(['agent revert'])
    expect(stdout).toContain('slot b holds nothing; flash it')
  })

  it('says so where it does not understand, and asks again', async () => {
    const { type } = await newDevice(shell)
    expect(type(['dance', 's']).stdout).toMatch(/not understood: dance\n.*\n *\n? *host /s)
  })
})
