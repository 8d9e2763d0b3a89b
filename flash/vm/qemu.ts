import { createServer, type Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { UserError } from '../../errors.ts'
import { atExit } from '../../lib/at-exit.ts'
import { type Child, endOf, run, startChild } from '../../lib/subprocess.ts'
import type { Program } from './program.ts'

/** Why QEMU ended: the guest or its watchdog reset the machine, the guest switched it off, or a program ended QEMU. */
export type QemuEnding = 'reset' | 'watchdog' | 'power-off' | 'stopped'

export interface RunningQemu {
  readonly output: Readable
  readonly input: Writable
  /** Rejects with QEMU's stderr if QEMU failed. */
  readonly ended: Promise<QemuEnding>
  /** Writes the memory and the devices to a file. The guest does not run afterwards, and its disk is flushed. */
  save(file: string): Promise<void>
  stop(): Promise<void>
  /** Ends QEMU at once. */
  kill(): Promise<void>
}

/** Runs QEMU to its end, with arguments that only write a file. */
export async function runQemu(program: Program, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await run(program, args)
  if (exitCode !== 0) throw qemuFailure(output)
}

/** Starts QEMU. The arguments must contain `control` as a monitor socket to which QEMU connects. */
export async function startQemu(program: Program, args: readonly string[], control: string): Promise<RunningQemu> {
  const monitor = await Monitor.listen(control)
  // Makes the kernel kill QEMU when this process ends. Otherwise QEMU would keep the disk and the ports.
  const child = startChild(program, args)
  const cancel = atExit(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  const ended = ending(child, monitor).finally(cancel)
  ended.catch(() => undefined)
  const kill = async () => {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
  }
  const save = (file: string) => Promise.race([monitor.save(file), ended.then(() => Promise.reject(endedEarly()))])
  return { output: child.stdout, input: child.stdin, ended, save, stop: () => stop(child, ended), kill }
}

interface Message {
  readonly event?: string
  readonly data?: { readonly reason?: string; readonly status?: string }
  readonly error?: { readonly desc: string }
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * A client of QEMU's monitor protocol, with one JSON object per line: a greeting, replies in the order of the commands,
 * and events.
 */
class Monitor {
  /** The reason in the SHUTDOWN event. */
  reason: string | undefined
  /**
   * Whether the watchdog fired. The SHUTDOWN event alone does not show this: it has the same reason as a reset by the
   * guest.
   */
  watchdog = false
  private readonly commands: Waiting[] = []
  private migration: Waiting | undefined
  private socket: Socket | undefined
  private readonly server = createServer((socket) => this.connect(socket))

  static async listen(control: string): Promise<Monitor> {
    const monitor = new Monitor()
    await new Promise<void>((resolve, reject) => {
      monitor.server.once('error', reject)
      monitor.server.listen(control, resolve)
    })
    return monitor
  }

  async save(file: string): Promise<void> {
    await this.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] })
    // Removes the speed limit: QEMU's default of 128 MiB/s is meant for a network.
    await this.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
    const completed = new Promise<void>((resolve, reject) => {
      this.migration = { resolve, reject }
    })
    await this.execute('migrate', { uri: `file:${file}` })
    await completed
  }

  close(): void {
    this.server.close()
  }

  private connect(socket: Socket): void {
    this.socket = socket
    let rest = ''
    socket.on('error', () => undefined)
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.take(JSON.parse(line))
    })
    this.execute('qmp_capabilities').catch(() => undefined)
  }

  private execute(command: string, args: object = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.commands.push({ resolve, reject })
      this.socket?.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    })
  }

  private take(message: Message): void {
    const { event, data, error } = message
    if (event === 'SHUTDOWN') this.reason = data?.reason
    if (event === 'WATCHDOG') this.watchdog = true
    if (event === 'MIGRATION' && data?.status === 'completed') this.migration?.resolve()
    if (event === 'MIGRATION' && data?.status === 'failed')
      this.migration?.reject(qemuFailure('cannot save the machine'))
    if ('return' in message) this.commands.shift()?.resolve()
    if (error !== undefined) this.commands.shift()?.reject(qemuFailure(error.desc))
  }
}

async function ending(child: Child, monitor: Monitor): Promise<QemuEnding> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const { code } = await endOf(child).finally(() => monitor.close())
  // The last bytes of the socket may arrive after the process has ended.
  await new Promise((resolve) => setTimeout(resolve, 20))
  const { reason } = monitor
  if (reason === 'guest-reset') return monitor.watchdog ? 'watchdog' : 'reset'
  if (reason === 'guest-shutdown') return 'power-off'
  if (code === 0 || code === null || reason !== undefined) return 'stopped'
  throw qemuFailure(stderr)
}

async function stop(child: Child, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended.catch(() => undefined)
  clearTimeout(force)
}

function endedEarly(): UserError {
  return qemuFailure('it ended before it had saved the machine')
}

function qemuFailure(stderr: string): UserError {
  const last = stderr.trim().split('\n').slice(-2).join(' / ')
  const portTaken = /host forwarding rule/.test(stderr)
  return new UserError('vm', `QEMU failed: ${last}`, {
    hint: portTaken
      ? 'another program took the port in the meantime: start again'
      : 'start again; if it fails again, report this message',
  })
}
