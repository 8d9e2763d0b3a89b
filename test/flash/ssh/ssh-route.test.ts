import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { keyscan } from '../../../flash/ssh/keyscan.ts'
import type { SshOptions } from '../../../flash/ssh/ssh.ts'
import { type Program, type ProgramRoot, programOf } from '../../../flash/vm/program.ts'
import { formatPrivateKey, formatPublicKey, keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { controlPrograms } from '../../helpers/control-programs.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { rejection } from '../../helpers/rejection.ts'
import { sshTo, statusOver } from '../../helpers/ssh-client.ts'
import { type SshServer, startSshServer, whyNoServer } from '../../helpers/ssh-server.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { updateImage } from '../../helpers/update-image.ts'
import { setVariable } from '../../helpers/variables.ts'

const why = whyNoServer()
if (why !== undefined) it(`SKIPPED, the way to a host was not tested: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('withSsh, with a real SSH server,', () => {
  let programs: ProgramRoot
  beforeAll(async () => {
    programs = await controlPrograms()
  }, 300_000)

  const newHost = () => new FakeHost(new FakeClock(), updateImage({ name: 'old' }))
  const options = (server: SshServer, other?: Partial<SshOptions>) => sshTo(programs, server, other)

  describe('with local paths that ssh would split, expand or shorten,', () => {
    const NAMES = [
      'a b',
      'a%hb',
      'a%%b',
      'n'.repeat(65),
      'a"b',
      "it's",
      '$HOME',
      `$\{HOME}`,
      'a\\b',
      '~',
      'ü',
      'a,b=c',
      '#x',
    ]

    it.each(NAMES)('reaches the host with TMPDIR=/…/%s, and leaves no file behind', async (name) => {
      const parent = join(await tempDirectory(), name)
      mkdirSync(parent)
      const server = await startSshServer(newHost())
      const before = readdirSync('/tmp').filter((each) => each.startsWith('hangar-vm-'))
      setVariable('TMPDIR', parent)
      expect((await statusOver(options(server))).host).toBe('adama')
      expect(readdirSync(parent)).toEqual([])
      const after = readdirSync('/tmp').filter((each) => each.startsWith(`hangar-vm-${process.pid}-`))
      expect(after.filter((each) => !before.includes(each))).toEqual([])
    })

    it.each(NAMES)('logs in with a key in the directory %s', async (name) => {
      const directory = join(await tempDirectory(), name)
      mkdirSync(directory)
      const server = await startSshServer(newHost())
      const keyFile = join(directory, 'ssh_key')
      await copyFile(server.keyFile, keyFile)
      expect((await statusOver(options(server, { keyFile }))).host).toBe('adama')
    })

    it('reaches the host when TMPDIR does not exist', async () => {
      const server = await startSshServer(newHost())
      setVariable('TMPDIR', '/nonexistent/tmp')
      expect((await statusOver(options(server))).host).toBe('adama')
    })
  })

  describe('with a passphrase on the login key,', () => {
    const PASSPHRASE = 'correct horse'

    async function encryptedKey(server: SshServer): Promise<string> {
      const keyFile = join(await tempDirectory(), 'ssh_key')
      await copyFile(server.keyFile, keyFile)
      const { status, stderr } = started('ssh-keygen', ['-p', '-P', '', '-N', PASSPHRASE, '-f', keyFile])
      expect(stderr.toString()).toBe('')
      expect(status).toBe(0)
      return keyFile
    }

    const started = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const program: Program = programOf(programs, name)
      return spawnSync(program.file, [...program.args, ...args], { env: { PATH: process.env.PATH, ...env } })
    }

    async function sshAgent(): Promise<string> {
      const socket = join(await tempDirectory('/tmp'), 'agent')
      const { file, args } = programOf(programs, 'ssh-agent')
      const child: ChildProcess = spawn(file, [...args, '-D', '-a', socket], { stdio: 'ignore' })
      onTestFinished(() => void child.kill())
      for (let tries = 0; tries < 100 && !existsSync(socket); tries += 1) await sleep(50)
      return socket
    }

    async function addTo(socket: string, keyFile: string): Promise<void> {
      const askpass = join(await tempDirectory(), 'askpass')
      await writeFile(askpass, `#!/bin/sh\necho '${PASSPHRASE}'\n`, { mode: 0o755 })
      const env = { SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' }
      expect(started('ssh-add', [keyFile], env).status).toBe(0)
    }

    it('names the passphrase and the command when no agent runs, before it contacts the host', async () => {
      const host = newHost()
      const server = await startSshServer(host)
      const keyFile = await encryptedKey(server)
      setVariable('SSH_AUTH_SOCK', undefined)
      expect(await rejection(statusOver(options(server, { keyFile })))).toMatchObject({
        code: 'login',
        message: `cannot log in to 'adama': its login key '${keyFile}' has a passphrase, and SSH_AUTH_SOCK names no ssh-agent`,
        hint: `start an agent and add the key: eval "$(ssh-agent)"; ssh-add '${keyFile}'`,
      })
      expect(host.calls).toEqual([])
    })

    it('logs in with the key that the agent holds, and names ssh-add when the agent does not hold the key', async () => {
      const server = await startSshServer(newHost())
      const keyFile = await encryptedKey(server)
      const socket = await sshAgent()
      setVariable('SSH_AUTH_SOCK', socket)
      expect(await rejection(statusOver(options(server, { keyFile })))).toMatchObject({
        code: 'login',
        hint: `add the key: ssh-add '${keyFile}'`,
      })
      await addTo(socket, keyFile)
      expect((await statusOver(options(server, { keyFile }))).host).toBe('adama')
    })

    it('names an agent that does not answer', async () => {
      const server = await startSshServer(newHost())
      const keyFile = await encryptedKey(server)
      setVariable('SSH_AUTH_SOCK', '/nonexistent/agent')
      const error = await rejection(statusOver(options(server, { keyFile })))
      expect(error?.message).toContain("the ssh-agent at '/nonexistent/agent' (SSH_AUTH_SOCK) does not answer")
    })
  })

  describe('with a jump host,', () => {
    interface Way {
      readonly host: FakeHost
      readonly target: SshServer
      readonly jump: SshServer
      readonly home: string
      config(text: string): Promise<void>
    }

    /** A user whose ~/.ssh has a key and the host key of the jump host. */
    async function way(): Promise<Way> {
      const host = newHost()
      const target = await startSshServer(host, 3)
      const jump = await startSshServer(newHost(), 4)
      const home = await tempDirectory()
      mkdirSync(join(home, '.ssh'))
      const known = `[localhost]:${jump.port} ${jump.hostKey}\n`
      await writeFile(join(home, '.ssh/known_hosts'), known)
      setVariable('HOME', home)
      setVariable('SSH_AUTH_SOCK', undefined)
      const config = (text: string) => writeFile(join(home, '.ssh/config'), text, { mode: 0o600 })
      return { host, target, jump, home, config }
    }

    const own = ({ home, jump }: Way) =>
      `Host localhost\n  IdentityFile ${jump.keyFile}\n  UserKnownHostsFile ${home}/.ssh/known_hosts\n  GlobalKnownHostsFile /dev/null\n`

    it("reaches the host through 'network.jump', with the user's configuration for the jump host", async () => {
      const given = await way()
      await given.config(own(given))
      const status = await statusOver(options(given.target, { jump: `root@localhost:${given.jump.port}` }))
      expect(status.host).toBe('adama')
      // Negative control: the connection uses the jump host, and fails without it.
      given.jump.drop()
      given.jump.stopListening()
      const error = await rejection(statusOver(options(given.target, { jump: `root@localhost:${given.jump.port}` })))
      expect(error).toMatchObject({ code: 'unreachable' })
      expect(error?.message).toContain(`cannot reach 'adama' by the jump host 'root@localhost:${given.jump.port}'`)
      expect(error?.hint).not.toContain('power')
      expect(error?.hint).toBe(
        `try the way by hand: ssh -l root -p ${given.jump.port} localhost, and there: nc -vz 127.0.0.1 ${given.target.port}`,
      )
    })

    it.each(['127.0.0.1', 'adama'])(
      'reaches the host through the ProxyJump of ~/.ssh/config for %s',
      async (pattern) => {
        const given = await way()
        await given.config(`${own(given)}Host ${pattern}\n  ProxyJump root@localhost:${given.jump.port}\n`)
        expect((await statusOver(options(given.target))).host).toBe('adama')
        given.jump.stopListening()
        expect((await rejection(statusOver(options(given.target))))?.message).toContain('by the jump host')
        expect((await statusOver(options(given.target, { jump: 'none' }))).host).toBe('adama')
      },
    )

    it('uses a ProxyCommand of ~/.ssh/config, and names the program that it lacks', async () => {
      const given = await way()
      await given.config('Host adama\n  ProxyCommand no-such-program %h %p\n')
      const error = await rejection(statusOver(options(given.target)))
      expect(error).toMatchObject({ code: 'program' })
      expect(error?.message).toContain('no-such-program')
    })

    it('names the jump host that refuses the login', async () => {
      const given = await way()
      const other = join(given.home, 'other')
      await writeFile(other, formatPrivateKey(keyFromSeed(Buffer.alloc(32, 3), 'x')), { mode: 0o600 })
      await given.config(own(given).replace(given.jump.keyFile, other))
      const error = await rejection(statusOver(options(given.target, { jump: `root@localhost:${given.jump.port}` })))
      expect(error).toMatchObject({ code: 'login' })
      expect(error?.message).toContain("on the way to 'adama', refuses the login")
      expect(error?.hint).toContain(`log in once by hand: ssh -l root -p ${given.jump.port} localhost. `)
    })

    it('names the jump host whose key is unknown or changed', async () => {
      const given = await way()
      await given.config(own(given))
      const jump = `root@localhost:${given.jump.port}`
      await writeFile(join(given.home, '.ssh/known_hosts'), '')
      const unknown = await rejection(statusOver(options(given.target, { jump })))
      expect(unknown).toMatchObject({ code: 'host-key' })
      expect(unknown?.message).toContain('has an unknown host key')
      const key = formatPublicKey(keyFromSeed(Buffer.alloc(32, 77), 'x'))
      await writeFile(join(given.home, '.ssh/known_hosts'), `[localhost]:${given.jump.port} ${key}\n`)
      const changed = await rejection(statusOver(options(given.target, { jump })))
      expect(changed?.message).toContain('shows another host key than before')
      expect(changed?.hint).not.toContain('--adopt')
    })

    it('recognises another key of the host behind the jump host', async () => {
      const given = await way()
      await given.config(own(given))
      const hostKeys = [formatPublicKey(keyFromSeed(Buffer.alloc(32, 55), 'pinned'))]
      const jump = `root@localhost:${given.jump.port}`
      const error = await rejection(statusOver(options(given.target, { jump, hostKeys })))
      expect(error).toMatchObject({ code: 'host-key' })
      expect(error?.message).toContain("is not 'adama'")
    })

    it('reads the host key of a new host through the jump host', async () => {
      const given = await way()
      await given.config(own(given))
      const { port, hostKey } = given.target
      const scan = {
        programs,
        host: 'adama',
        at: { address: '127.0.0.1', port },
        jump: `root@localhost:${given.jump.port}`,
      }
      expect(await keyscan(scan)).toEqual([hostKey.split(' ').slice(0, 2).join(' ')])
    })

    it('refuses a jump host that ssh would read as an option', async () => {
      const given = await way()
      const error = await rejection(statusOver(options(given.target, { jump: '-oProxyCommand=x' })))
      expect(error).toMatchObject({ code: 'host' })
    })
  })
})
