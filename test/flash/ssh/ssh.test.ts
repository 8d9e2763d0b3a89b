import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../../../flash/ssh/agent.ts'
import type { Remote } from '../../../flash/ssh/remote.ts'
import { type SshOptions, withSsh } from '../../../flash/ssh/ssh.ts'
import { withArtifact } from '../../../flash/targets/pi/artifact.ts'
import { piTarget } from '../../../flash/targets/pi/target.ts'
import { zstdCompress } from '../../../flash/transfer/compress.ts'
import { update } from '../../../flash/update.ts'
import { type ProgramRoot, programOf } from '../../../flash/vm/program.ts'
import { BLOCK } from '../../../images/layout.ts'
import { formatPrivateKey, formatPublicKey, keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { controlPrograms, zstdUnpack } from '../../helpers/control-programs.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { rejection } from '../../helpers/rejection.ts'
import { sshTo, statusOver } from '../../helpers/ssh-client.ts'
import { type SshServer, startSshServer, whyNoServer } from '../../helpers/ssh-server.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { NO_IDENTITY, OWNER, UPDATE, updateBench } from '../../helpers/update-bench.ts'
import { updateImage } from '../../helpers/update-image.ts'

const why = whyNoServer()
const LIMITS = { limit: 1024 * 1024, deadline: 20 }

if (why !== undefined) it(`SKIPPED, ssh was not tested: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('withSsh, with a real SSH server,', () => {
  let programs: ProgramRoot
  let clock: FakeClock
  beforeEach(() => {
    clock = new FakeClock()
  })
  beforeAll(async () => {
    programs = await controlPrograms()
  }, 300_000)

  const newHost = () => new FakeHost(clock, updateImage({ name: 'old' }), zstdUnpack(programs))

  const options = (server: SshServer, other?: Partial<SshOptions>) => sshTo(programs, server, other)

  it('calls the agent and leaves no files behind', async () => {
    const server = await startSshServer(newHost())
    let directory: string | undefined
    const before = ownDirectories()
    const status = await withSsh(options(server), async (remote) => {
      const first = await new Agent(remote, OWNER).status()
      directory = ownDirectories().find((name) => !before.includes(name))
      return first
    })
    expect(status).toMatchObject({ host: 'adama', slot: 'a', state: 'committed' })
    expect(directory).toBeDefined()
    expect(existsSync(`${tmpdir()}/${directory}`)).toBe(false)
  })

  it('sends, tries and commits an update over ssh', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    const { directory, next, progress } = await updateBench()
    const updated = await withSsh(options(server), (remote) => updateOver(remote, directory, progress))
    expect(updated).toMatchObject({ kind: 'updated', slot: 'b' })
    expect(host.slots.b.slot.bytes.equals(next.slot.subarray(0, 300 * BLOCK))).toBe(true)
    expect([host.running, host.committed]).toEqual(['b', 'b'])
    // Each block repeats one digest, so compression must reduce the number of bytes sent.
    if (updated.kind === 'updated') expect(updated.sent).toBeLessThan(100 * BLOCK)
  })

  it('connects again after a broken connection and continues with the blocks', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    let drops = 0
    const { directory, progress } = await updateBench()
    server.onInput = () => {
      if (host.calls.at(-1) === 'write blocks slot' && drops++ === 0) server.drop()
    }
    const updated = await withSsh(options(server), (remote) => updateOver(remote, directory, progress))
    expect(updated.kind).toBe('updated')
    expect(drops).toBeGreaterThan(0)
    expect(progress.ended).toContain('send the slot: failed')
    expect(host.committed).toBe('b')
  })

  const updateOver = (
    remote: Remote,
    directory: string,
    progress: Awaited<ReturnType<typeof updateBench>>['progress'],
  ) =>
    withArtifact('adama', directory, (artifact) =>
      update({
        target: piTarget({
          ...{ remote, owner: OWNER, clock, progress, newId: () => 'trial-1' },
          compress: zstdCompress(programOf(programs, 'zstd')),
        }),
        ...{ artifact, goal: UPDATE, progress, clock, identity: NO_IDENTITY },
      }),
    )

  it('uses one connection for all calls', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    await withSsh(options(server), async (remote) => {
      const agent = new Agent(remote, OWNER)
      await agent.status()
      server.stopListening()
      await agent.health()
      // Negative control: a second connection is refused.
      expect(await rejection(statusOver(options(server)))).toMatchObject({ code: 'unreachable' })
    })
    expect(host.calls).toEqual(['status', 'health'])
  })

  it('makes no call to a machine with another host key', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    const pinned = formatPublicKey(keyFromSeed(Buffer.alloc(32, 55), 'pinned'))
    const error = await rejection(statusOver(options(server, { hostKeys: [pinned] })))
    expect(error).toMatchObject({ code: 'host-key' })
    expect(error?.message).toMatch(
      /^the machine at 127\.0\.0\.1:\d+ is not 'adama': it shows the host key SHA256:\S+, wanted SHA256:/,
    )
    expect(error?.hint).toContain('If the key was rotated from another checkout: git pull')
    expect(error?.hint).toMatch(/npm run init adama -- --adopt SHA256:[A-Za-z0-9+/]{43}$/)
    expect(host.calls).toEqual([])
  })

  it('accepts any of several pinned keys', async () => {
    const server = await startSshServer(newHost())
    const old = formatPublicKey(keyFromSeed(Buffer.alloc(32, 55), 'pinned'))
    expect((await statusOver(options(server, { hostKeys: [old, server.hostKey] }))).host).toBe('adama')
  })

  it('reports a missing login key and a refused login', async () => {
    const server = await startSshServer(newHost())
    const other = await startSshServer(newHost(), 2)
    const missing = await rejection(statusOver(options(server, { keyFile: `${other.keyFile}.none` })))
    expect(missing?.message).toContain('does not exist')
    await writeFile(`${other.keyFile}.2`, formatPrivateKey(keyFromSeed(Buffer.alloc(32, 3), 'x')), { mode: 0o600 })
    const error = await rejection(statusOver(options(server, { keyFile: `${other.keyFile}.2` })))
    expect(error).toMatchObject({ code: 'login' })
    expect(error?.message).toContain('refuses the key')
  })

  it('reports a login key that ssh ignores, and how to fix it', async () => {
    const server = await startSshServer(newHost())
    const key = await readFile(server.keyFile)
    const failing = async (bytes: Uint8Array, mode: number) => {
      const keyFile = join(await tempDirectory(), 'key')
      await writeFile(keyFile, bytes, { mode })
      return { keyFile, error: await rejection(statusOver(options(server, { keyFile }))) }
    }
    const open = await failing(key, 0o644)
    expect(open.error).toMatchObject({ code: 'login', hint: `chmod 600 '${open.keyFile}'` })
    expect(open.error?.message).toContain('other users can read it')
    const half = await failing(key.subarray(0, 100), 0o600)
    expect(half.error).toMatchObject({ code: 'login', hint: 'the key is damaged: restore your copy of it' })
    expect((await failing(key, 0o600)).error).toBeUndefined()
  })

  it('distinguishes a host without an agent from a host that does not answer', async () => {
    const server = await startSshServer(newHost())
    const none = await rejection(statusOver(options(server, { agent: '/nonexistent/agent' })))
    expect(none).toMatchObject({ code: 'agent' })
    expect(none?.message).toContain("'adama' has no agent")
    const gone = await rejection(statusOver(options(server, { at: { address: '127.0.0.1', port: 1 } })))
    expect(gone).toMatchObject({ code: 'unreachable' })
    expect(gone?.message).toContain('Connection refused')
  })

  it('passes words with spaces and quotes unchanged, and no shell runs them', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    const words: (readonly string[])[] = []
    const call = host.call.bind(host)
    host.call = async (given, input) => {
      words.push(given)
      return call(['status'], input)
    }
    const evil = ['a b', "it's", '$(touch /tmp/never)', ';reboot', '*', '']
    await withSsh(options(server), (remote) => remote.call(evil, LIMITS))
    expect(words).toEqual([evil])
  })

  it('ends an agent call whose output exceeds the limit', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    host.call = async () => ({ exitCode: 0, output: 'x'.repeat(200_000), stderr: '' })
    const error = await rejection(
      withSsh(options(server), (remote) => remote.call(['status'], { ...LIMITS, limit: 1000 })),
    )
    expect(error).toMatchObject({ code: 'agent' })
    expect(error?.message).toContain('more than 1000 bytes')
  })

  it('ends an agent call without an answer at its deadline', async () => {
    const host = newHost()
    const server = await startSshServer(host)
    host.call = () => new Promise(() => undefined)
    const error = await rejection(
      withSsh(options(server), (remote) => remote.call(['status'], { ...LIMITS, deadline: 2 })),
    )
    expect(error).toMatchObject({ code: 'unreachable' })
    expect(error?.message).toContain("no answer to 'status' within 2 s")
  })

  it('ends an agent call whose input fails, with the error of the input', async () => {
    const server = await startSshServer(newHost())
    const broken = async function* () {
      yield Buffer.from('half')
      throw new Error('the file is gone')
    }
    const error = await rejection(
      withSsh(options(server), (remote) => remote.call(['write', 'tree', OWNER], { ...LIMITS, input: broken() })),
    )
    expect(error?.message).toBe('the file is gone')
  })
})

function ownDirectories(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`hangar-vm-${process.pid}-`))
}
