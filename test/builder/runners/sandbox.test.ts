import { describe, expect, it } from 'vitest'
import { checkSandbox } from '../../../builder/runners/sandbox.ts'
import { run } from '../../../lib/subprocess.ts'

/** A machine on which the sandbox probe prints this output. */
function machine(output: string, { uid = 0, exitCode = 1 } = {}) {
  return checkSandbox('/scratch', async () => ({ exitCode, output }), uid)
}

describe('checkSandbox', () => {
  it.each([
    ['lets only root make namespaces', 'unshare: unshare failed: Operation not permitted', 1000, 'sudo'],
    ['is a container without rights', 'unshare: unshare failed: Operation not permitted', 0, '--privileged'],
    ['may not mount', 'mount: /scratch: permission denied.', 0, '--privileged'],
    ['has no overlayfs', "mount: /scratch/m: unknown filesystem type 'overlay'.", 0, 'modprobe overlay'],
    ['has no unshare', 'spawn unshare ENOENT', 0, 'util-linux'],
  ])('prints a hint on a machine that %s', async (_, output, uid, remedy) => {
    await expect(machine(`noise\n${output}\n`, { uid })).rejects.toMatchObject({
      code: 'sandbox',
      message: `cannot create a sandbox on this machine: ${output}`,
      hint: expect.stringContaining(remedy),
    })
  })

  it('accepts a machine on which the probe succeeds', async () => {
    await expect(machine('', { exitCode: 0 })).resolves.toBeUndefined()
  })

  it('prints a hint when unshare is not installed', async () => {
    const { exitCode, output } = await run('/not/there/unshare', [], { env: {} })
    expect(exitCode).not.toBe(0)
    expect(output).toContain('ENOENT')
  })
})
