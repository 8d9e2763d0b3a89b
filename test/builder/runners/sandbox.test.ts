import { describe, expect, it, onTestFinished } from 'vitest'
import { checkSandbox } from '../../../builder/runners/sandbox.ts'

/** A machine on which the sandbox probe prints this output. */
function machine(output: string, { uid = 0, exitCode = 1 } = {}) {
  return checkSandbox('/scratch', async () => ({ exitCode, output }), uid)
}

describe('checkSandbox', () => {
  it.each([
    ['lets only root make namespaces', 'unshare: unshare failed: Operation not permitted', 1000, 'sudo'],
    ['is a container without rights', 'unshare: unshare failed: Operation not permitted', 0, '--privileged'],
    ['may not mount', 'mount: /scratch: permission denied.', 0, '--privileged'],
    ['cannot set its name', 'sh: 1: cannot create /proc/sys/kernel/hostname: Permission denied', 0, 'install hostname'],
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

  it('gives a hint when unshare is not installed', async () => {
    const path = process.env.PATH
    onTestFinished(() => {
      process.env.PATH = path
    })
    process.env.PATH = '/not/there'
    await expect(checkSandbox('/tmp')).rejects.toMatchObject({
      code: 'sandbox',
      message: expect.stringContaining('ENOENT'),
      hint: 'install util-linux: apt-get install util-linux',
    })
  })
})
