import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../../flash/ssh/address.ts'
import { keyscan } from '../../../flash/ssh/keyscan.ts'
import type { SshOptions } from '../../../flash/ssh/ssh.ts'
import type { ProgramRoot } from '../../../flash/vm/program.ts'
import { formatPublicKey, keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { controlPrograms } from '../../helpers/control-programs.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { whyNoIpv6 } from '../../helpers/ipv6.ts'
import { rejection } from '../../helpers/rejection.ts'
import { sshTo, statusOver } from '../../helpers/ssh-client.ts'
import { type SshServer, startSshServer, whyNoServer } from '../../helpers/ssh-server.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { updateImage } from '../../helpers/update-image.ts'
import { setVariable } from '../../helpers/variables.ts'

const why = whyNoServer() ?? whyNoIpv6()
if (why !== undefined) it(`SKIPPED, ssh over IPv6 was not tested: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('ssh and keyscan over IPv6, with a real SSH server,', () => {
  let programs: ProgramRoot
  beforeAll(async () => {
    programs = await controlPrograms()
  }, 300_000)

  const newHost = () => new FakeHost(new FakeClock(), updateImage({ name: 'old' }))
  const statusAt = (at: string, server: SshServer, other: Partial<SshOptions> = {}) =>
    statusOver(sshTo(programs, server, { at: parseAddress(at), ...other }))
  const keysAt = (at: string, jump?: string) => keyscan({ programs, host: 'adama', at: parseAddress(at), jump })
  const keyOf = ({ hostKey }: SshServer) => hostKey.split(' ').slice(0, 2).join(' ')

  /** A user without an agent, whose ~/.ssh logs in to a jump host at `localhost` and `::1`. */
  async function userOf(jump: SshServer): Promise<void> {
    const home = await tempDirectory()
    const known = join(home, '.ssh/known_hosts')
    mkdirSync(join(home, '.ssh'))
    await writeFile(known, `[localhost]:${jump.port} ${jump.hostKey}\n[::1]:${jump.port} ${jump.hostKey}\n`)
    const files = `IdentityFile ${jump.keyFile}\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile /dev/null\n`
    await writeFile(join(home, '.ssh/config'), `Host localhost ::1\n  ${files}`, { mode: 0o600 })
    setVariable('HOME', home)
    setVariable('SSH_AUTH_SOCK', undefined)
  }

  it('accept an address in any spelling, and refuse a host with another key', async () => {
    setVariable('HOME', await tempDirectory())
    const server = await startSshServer(newHost(), 5)
    const at = `[0:0::0001]:${server.port}`
    expect((await statusAt(at, server)).host).toBe('adama')
    expect(await keysAt(at)).toEqual([keyOf(server)])
    const hostKeys = [formatPublicKey(keyFromSeed(Buffer.alloc(32, 55), 'pinned'))]
    const error = await rejection(statusAt(at, server, { hostKeys }))
    expect(error).toMatchObject({ code: 'host-key' })
    expect(error?.message).toContain(`the machine at [::1]:${server.port} is not 'adama'`)
  })

  it('report an address in brackets, with its port, if no program listens there', async () => {
    setVariable('HOME', await tempDirectory())
    const error = await rejection(statusAt('[::1]:1', await startSshServer(newHost(), 5)))
    expect(error).toMatchObject({ code: 'unreachable' })
    expect(error?.message).toContain("cannot reach 'adama' ([::1]:1)")
    expect((await rejection(keysAt('[::1]:1')))?.message).toContain("cannot reach 'adama' ([::1]:1)")
  })

  it.each([
    ['the host has', '[::1]', 'localhost'],
    ['the jump host has', '127.0.0.1', '[::1]'],
    ['the host and the jump host have', '[::1]', '[::1]'],
  ])('connect through a jump host if %s an IPv6 address', async (_, host, jumpHost) => {
    const [server, jump] = [await startSshServer(newHost(), 3), await startSshServer(newHost(), 4)]
    await userOf(jump)
    const [at, way] = [`${host}:${server.port}`, `root@${jumpHost}:${jump.port}`]
    expect((await statusAt(at, server, { jump: way })).host).toBe('adama')
    expect(await keysAt(at, way)).toEqual([keyOf(server)])
    // Negative control: the connection uses the jump host, and fails without it.
    jump.drop()
    jump.stopListening()
    expect(await rejection(statusAt(at, server, { jump: way }))).toMatchObject({ code: 'unreachable' })
  })
})
