import { createServer } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { keyscan } from '../../../flash/ssh/keyscan.ts'
import { freePort } from '../../../flash/vm/free-port.ts'
import type { ProgramRoot } from '../../../flash/vm/program.ts'
import { controlPrograms } from '../../helpers/control-programs.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { startSshServer, whyNoServer } from '../../helpers/ssh-server.ts'
import { updateImage } from '../../helpers/update-image.ts'

const why = whyNoServer()
if (why !== undefined) it(`SKIPPED, keyscan was not tested: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('keyscan', () => {
  let programs: ProgramRoot
  beforeAll(async () => {
    programs = await controlPrograms()
  }, 300_000)

  const ask = (port: number, signal?: AbortSignal) =>
    keyscan({ programs, host: 'tiny', at: { address: '127.0.0.1', port }, signal })

  it('returns the key of the SSH server, without name and comment', async () => {
    const server = await startSshServer(new FakeHost(new FakeClock(), updateImage({ name: 'tiny' })), 7)
    expect(await ask(server.port)).toEqual([server.hostKey.split(' ').slice(0, 2).join(' ')])
  })

  it('fails if no program listens on the port', async () => {
    const port = await freePort(22990, new Set())
    await expect(ask(port)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`cannot reach 'tiny' (127.0.0.1:${port}): `),
    })
  })

  it('fails if another kind of server answers', async () => {
    const port = await freePort(22991, new Set())
    const other = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.0 400 no\r\n\r\n'))
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    await expect(ask(port)).rejects.toMatchObject({ code: 'unreachable' })
  })

  it('stops the scan when the signal is aborted', async () => {
    const port = await freePort(22992, new Set())
    const silent = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const begun = performance.now()
    await expect(ask(port, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - begun).toBeLessThan(5000)
  })
})
