import { createServer } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { UserError } from '../../errors.ts'
import { type Child, run, startChild } from '../../lib/subprocess.ts'
import type { Program } from './program.ts'

/** Why QEMU ended: a reset by the guest or its watchdog, a power-off by the guest, or a stop from outside. */
export type QemuEnding = 'reset' | 'watchdog' | 'power-off' | 'stopped'

export interface RunningQemu {
  readonly output: Readable
  readonly input: Writable
  /** Rejects with QEMU's stderr if QEMU failed. */
  readonly ended: Promise<QemuEnding>
  stop(): Promise<void>
  /** Kills QEMU at once. */
  kill(): Promise<void>
}

/** Runs QEMU until it ends, for arguments with which it only writes a file. */
export async function runQemu(program: Program, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await run(program.file, [...program.args, ...args], { env: program.env })
  if (exitCode !== 0) throw qemuFailure(output)
}

/** Starts QEMU. Its arguments must make it connect to the control socket `control`. */
export async function startQemu(program: Program, args: readonly string[], control: string): Promise<RunningQemu> {
  const events = await listenForShutdown(control)
  // The kernel kills QEMU with this process. Otherwise QEMU would keep the disk and the ports.
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
  /** Whether the watchdog fired: QEMU reports its reset with the same reason as a reset by the guest. */
  readonly watchdog: () => boolean
  readonly close: () => void
}

/** QEMU's monitor protocol: a greeting, our one command, then events, each a JSON object on one line. */
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
  // The last bytes of the socket may arrive after the process has ended.
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
      ? 'another program has just taken the port: run the same command again'
      : 'run the same command again. If it fails again, report this text',
  })
}
