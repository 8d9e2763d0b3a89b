import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { formatPrivateKey, formatPublicKey, keyFromSeed } from '../../images/signature/openssh-key.ts'
import type { FakeHost } from './fake-agent.ts'
import { onPath } from './fake-device.ts'
import { freePort } from './free-port.ts'
import { whyNoIpv6 } from './ipv6.ts'
import { tempDirectory } from './temp.ts'

const SSHD = onPath('sshd') ?? '/usr/sbin/sshd'
const LOOPBACK = ['127.0.0.1', ...(whyNoIpv6() === undefined ? ['::1'] : [])]

/** The reason why this machine can start no SSH server; undefined if it can. */
export function whyNoServer(): string | undefined {
  if (!existsSync(SSHD)) return `no ${SSHD} on this machine: apt-get install openssh-server`
  return process.getuid?.() === 0 ? undefined : 'only root can start an SSH server that accepts root'
}

export interface SshServer {
  readonly port: number
  /** The server's host key, and the file of the key that may log in. */
  readonly hostKey: string
  readonly keyFile: string
  /** A program that passes its call to the fake host. */
  readonly agent: string
  /** Breaks every connection, and keeps the server running. */
  drop(): void
  /** Refuses new connections, and keeps open ones. */
  stopListening(): void
  /** Called with the bytes of a call's input so far. */
  onInput: (bytes: number) => void
}

/** Starts a real SSH server whose agent is a fake host. */
export async function startSshServer(host: FakeHost, seed = 1): Promise<SshServer> {
  const directory = await tempDirectory()
  const path = (name: string) => join(directory, name)
  const [server, user] = [keyFromSeed(Buffer.alloc(32, seed), 'server'), keyFromSeed(Buffer.alloc(32, 99), 'owner')]
  await writeFile(path('host_key'), formatPrivateKey(server), { mode: 0o600 })
  await writeFile(path('user_key'), formatPrivateKey(user), { mode: 0o600 })
  await writeFile(path('authorized_keys'), `${formatPublicKey(user)}\n`)
  await writeFile(path('agent.mjs'), CLIENT)
  await writeFile(path('agent'), `#!/bin/sh\nexec ${process.execPath} ${path('agent.mjs')} ${path('socket')} "$@"\n`, {
    mode: 0o755,
  })
  const port = await freePort()
  await writeFile(path('config'), configText(directory, port))
  await mkdir('/run/sshd', { recursive: true })
  const started: SshServer = {
    ...{ port, hostKey: formatPublicKey(server), keyFile: path('user_key'), agent: path('agent') },
    drop: () => dropConnections(child),
    stopListening: () => void child.kill('SIGTERM'),
    onInput: () => undefined,
  }
  const bridge = createServer({ allowHalfOpen: true }, (socket) => void serve(host, started, socket))
  await new Promise<void>((resolve) => bridge.listen(path('socket'), resolve))
  const child = spawn(SSHD, ['-D', '-e', '-f', path('config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => {
    dropConnections(child)
    child.kill('SIGKILL')
    bridge.close()
  })
  await listening(child)
  return started
}

function configText(directory: string, port: number): string {
  return [
    ...[
      `Port ${port}`,
      ...LOOPBACK.map((address) => `ListenAddress ${address}`),
      `HostKey ${directory}/host_key`,
      'PidFile none',
      'UsePAM no',
    ],
    ...[`AuthorizedKeysFile ${directory}/authorized_keys`, 'StrictModes no', 'PermitRootLogin prohibit-password'],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'LogLevel INFO'],
    // Keeps bash from reading the start files of the user who runs the tests.
    ...[`SetEnv HOME=${directory}`, ''],
  ].join('\n')
}

async function listening(child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (data) => {
    said += String(data)
  })
  for (let tries = 0; tries < 100; tries++) {
    if (LOOPBACK.every((address) => said.includes(`Server listening on ${address} `))) return
    await sleep(50)
  }
  throw new Error(`the SSH server does not listen: ${said}`)
}

function dropConnections(child: ChildProcess): void {
  for (const pid of descendants(child.pid ?? 0)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // The process has ended already.
    }
  }
}

function descendants(parent: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === parent)
    .map(Number)
  return children.flatMap((pid) => [pid, ...descendants(pid)])
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[1],
    )
  } catch {
    return undefined
  }
}

/** Sends the words of the call in the first line, then the input. */
const CLIENT = `
import { connect } from 'node:net'
const [path, ...words] = process.argv.slice(2)
const socket = connect({ path, allowHalfOpen: true })
socket.write(JSON.stringify(words) + '\\n')
process.stdin.pipe(socket)
let text = ''
socket.on('data', (data) => (text += data))
socket.on('end', () => {
  const { output, exitCode } = JSON.parse(text)
  process.stdout.write(output, () => process.exit(exitCode))
})
`

async function serve(host: FakeHost, server: SshServer, socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  const pieces = socket.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>
  let head: Buffer = Buffer.alloc(0)
  while (!head.includes(10)) {
    const { value, done } = await pieces.next()
    if (done) return
    head = Buffer.concat([head, value])
  }
  const end = head.indexOf(10)
  const input = async function* () {
    let bytes = 0
    for (let piece: Buffer | undefined = head.subarray(end + 1); piece !== undefined; ) {
      if (piece.length > 0) yield piece
      bytes += piece.length
      server.onInput(bytes)
      const { value, done } = await pieces.next()
      piece = done ? undefined : value
    }
  }
  const words = JSON.parse(head.toString('utf8', 0, end)) as string[]
  const answer = await host.call(words, { input: input() }).catch(() => undefined)
  if (answer === undefined) socket.destroy()
  else socket.end(JSON.stringify(answer))
}
