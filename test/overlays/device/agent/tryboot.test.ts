import { execFileSync } from 'node:child_process'
import { rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'

const MODULE = 'sys/module/hangar_tryboot/parameters/armed'

/** Prints an answer as vcmailbox does: the words of the buffer, with the value as the last word. */
const VCMAILBOX = `
flag="$FAKE_ROOT/flag"
[ "$1" != 0x00038064 ] || echo "$4" >"$flag"
echo "0x0000001c 0x80000000 $1 0x00000004 0x80000004 0x0000000$(cat "$flag" 2>/dev/null || echo 0) 0x00000000"`

/** The emulated firmware behind a port: answers each line and stores the flag. */
const FIRMWARE = (dev: string) => `
while read -r word value; do
  [ -z "$value" ] || echo "$value" >${dev}/flag
  echo "tryboot $(cat ${dev}/flag 2>/dev/null || echo 0)"
done`

describeAgent('the trial flag', (shell) => {
  const ask = (host: AgentHost) =>
    host
      .shell('tryboot_set 1; echo $?; tryboot_get; tryboot_set 0; echo $?; tryboot_get; tryboot_driver')
      .stdout.split('\n')
  const without = async () => {
    const host = await AgentHost.under(shell)
    rmSync(host.device.path('sys/module'), { recursive: true })
    return host
  }

  it("sets and reads the trial flag through the module's file", async () => {
    expect(ask(await AgentHost.under(shell))).toEqual(['0', '1', '0', '0', 'module', ''])
  })

  it('loads the module, then sets the trial flag through it', async () => {
    const host = await without()
    const loads = `mkdir -p "$FAKE_ROOT/${dirname(MODULE)}" && echo 0 >"$FAKE_ROOT/${MODULE}"`
    host.device.fake('modprobe', `[ "$1" = hangar_tryboot ] && ${loads}`)
    expect(ask(host)).toEqual(['0', '1', '0', '0', 'module', ''])
  })

  it("sets and reads the trial flag through the mailbox of Raspberry Pi's kernels", async () => {
    const host = await without()
    symlinkSync('/dev/null', host.device.path('dev/vcio'))
    host.device.fake('vcmailbox', VCMAILBOX)
    expect(ask(host)).toEqual(['0', '1', '0', '0', 'vcio', ''])
    // Older firmware does not know the tag: its answer has no value.
    host.device.fake('vcmailbox', 'echo 0x0000001c 0x80000001')
    expect(ask(host).slice(0, 3)).toEqual(['1', '1', 'vcio'])
    host.device.fake('vcmailbox', 'exit 1')
    expect(host.shell('tryboot_set 1 || echo no').stdout).toBe('no\n')
  })

  it("sets and reads the trial flag through the emulated firmware's port", async () => {
    const host = await without()
    host.device.write('sys/class/virtio-ports/vport1p1/name', 'something.else\n')
    host.device.write('sys/class/virtio-ports/vport2p1/name', 'hangar.firmware\n')
    const dev = host.device.path('dev')
    const port = `${dev}/vport2p1`
    execFileSync('mkfifo', [`${dev}/in`, `${dev}/out`])
    const answering = `sh -c '${FIRMWARE(dev)}' <>${dev}/in 1<>${dev}/out 2>/dev/null & echo $! >${dev}/pid`
    host.device.write('dev/vport2p1', '')
    // A fifo has one direction, so two fifos stand for the port.
    host.weaken(
      'tryboot',
      `exec 3<>"$0" && printf "%s\\n" "$1" >&3 && read -r answer <&3`,
      `printf "%s\\n" "$1" >"\${0%/*}/in" && read -r answer <"\${0%/*}/out"`,
    )
    const { stdout } = host.shell(`tryboot_port; ${answering}
      tryboot_set 1; echo $?; tryboot_get; tryboot_set 0; echo $?; tryboot_get; tryboot_driver; command kill $(cat ${dev}/pid)`)
    expect(stdout.split('\n')).toEqual([port, '0', '1', '0', '0', 'port', ''])
  })

  it('fails to set the trial flag if there is no driver, or if the flag does not stay set', async () => {
    const host = await without()
    expect(host.shell('tryboot_set 1 || echo no; tryboot_get || echo none').stdout).toBe('no\nnone\n')
    host.device.write('sys/module/hangar_tryboot/parameters/armed', '0\n')
    rmSync(host.device.path(MODULE))
    symlinkSync('/dev/null', host.device.path(MODULE))
    expect(host.shell('tryboot_set 1 || echo no').stdout).toBe('no\n')
    host.weaken('tryboot', /^ {2}\[ "\$\(tryboot_get\)" = "\$1" \]$/m, '  :')
    expect(host.shell('tryboot_set 1 || echo no').stdout).toBe('')
  })
})
