import { createServer } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { UserError } from '../../errors.ts'
import { type Child, run, startChild } from '../../lib/subprocess.ts'
import type { Program } from './program.ts'

/** Why QEMU ended: the guest asked for a reset or its watchdog did, it switched itself off, or somebody ended QEMU. */
export type QemuEnding = 'reset' | 'watchdog' | 'power-off' | 'stopped'

export interface RunningQemu {
  readonly output: Readable
  readonly input: Writable
  /** Rejects where QEMU failed by itself, with its own words. */
  readonly ended: Promise<QemuEnding>
  stop(): Promise<void>
  /** Ends it without giving it time for anything. */
  kill(): Promise<void>
}

/** Runs QEMU to its end; for arguments that only have it write a file. */
export async function runQemu(program: Program, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await run(program.file, [...program.args, ...args], { env: program.env })
  if (exitCode !== 0) throw qemuFailure(output)
}

/** Starts QEMU, whose control socket `control` must be among the arguments as a client's. */
export async function startQemu(program: Program, args: readonly string[], control: string): Promise<RunningQemu> {
  const events = await listenForShutdown(control)
  // Were this process killed, QEMU would run on with the disk and the ports: the kernel ends it with its parent.
  const child = startChild(program, args)
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.stdin.on('error', () => undefined)
  const ended = ending(child, events).finally(() => process.off('exit', killWithUs))
  ended.catch(() => undefined)
  const kill = async () => {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
  }
  return { output: child.stdout, input: child.stdin, ended, stop: () => stop(child, ended), kill }
}

interface ShutdownEvents {
  readonly reason: () => string | undefined
  /** Whether the watchdog bit: the reset that follows has the reason of one that the guest asked for. */
  readonly watchdog: () => boolean
  readonly close: () => void
}

/** QEMU's monitor protocol: greeting, our one command, then events, a JSON object a line. */
async function listenForShutdown(control: string): Promise<ShutdownEvents> {
  let reason: string | undefined
  let watchdog = false
  const server = createServer((socket) => {
    let rest = ''
    socket.on('error', () => undefined)
    socket.write('{"execute":"qmp_capabilities"}\n')
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const event of lines.map(parseEvent)) {
        if (event.event === 'SHUTDOWN') reason = event.data?.reason
        if (event.event === 'WATCHDOG') watchdog = true
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(control, resolve)
  })
  return { reason: () => reason, watchdog: () => watchdog, close: () => server.close() }
}

function parseEvent(line: string) {
  return JSON.parse(line) as { readonly event?: string; readonly data?: { readonly reason?: string } }
}

async function ending(child: Child, events: ShutdownEvents): Promise<QemuEnding> {
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // The socket's last bytes may be read after the process is gone.
  await new Promise((resolve) => setTimeout(resolve, 20))
  events.close()
  const reason = events.reason()
  if (reason === 'guest-reset') return events.watchdog() ? 'watchdog' : 'reset'
  if (reason === 'guest-shutdown') return 'power-off'
  if (code === 0 || code === null || reason !== undefined) return 'stopped'
  throw qemuFailure(complaint)
}

async function stop(child: Child, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended.catch(() => undefined)
  clearTimeout(force)
}

function qemuFailure(complaint: string): UserError {
  const last = complaint.trim().split('\n').slice(-2).join(' / ')
  const portTaken = /host forwarding rule/.test(complaint)
  return new UserError('vm', `QEMU failed: ${last}`, {
    hint: portTaken
      ? 'another program took the port just now: start again'
      : 'start again; if it stays so, report it with this text',
  })
}
