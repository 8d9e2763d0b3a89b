import { execFile, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT } from './toolchain.ts'

export const SOURCES = join(PROJECT, 'overlays/device/blocks')

const STRICT = ['-std=gnu11', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-pthread', '-I', SOURCES]
/** Flags that detect invalid memory accesses and undefined behaviour. */
export const SANITIZED = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** Compiles sources to one object file each in an existing directory, two at a time. Several programs can be linked from them. */
export async function compileObjects(
  cc: string,
  directory: string,
  sources: readonly string[],
  flags: readonly string[],
): Promise<string[]> {
  const rest = sources.map((source) => ({ source, object: join(directory, `${basename(source, '.c')}.o`) }))
  const objects = rest.map(({ object }) => object)
  const worker = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift())
      await promisify(execFile)(cc, [...STRICT, ...flags, '-c', next.source, '-o', next.object])
  }
  await Promise.all([worker(), worker()])
  return objects
}

/** Compiles and links sources and object files for this machine. */
export function compileC(cc: string, output: string, sources: readonly string[], flags: readonly string[]): void {
  execFileSync(cc, [...STRICT, ...flags, ...sources, '-o', output], { stdio: ['ignore', 'inherit', 'inherit'] })
}

/** The same command for a shell, without the output. */
export function compileCommand(sources: readonly string[]): string {
  return ['cc', ...STRICT, ...sources].map((word) => `'${word}'`).join(' ')
}

/** Paths of the sources of `blocks`: all, or the named ones. */
export function partsOfBlocks(names?: readonly string[]): string[] {
  const files = names ?? readdirSync(SOURCES).filter((name) => name.endsWith('.c'))
  return files.map((name) => join(SOURCES, name))
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Highest observed memory use in bytes. */
  readonly peak: number
}

/** Runs a program with bytes as its input. The program may end before it has read all of them. */
export function runWith(program: string, args: readonly string[], input: Iterable<Uint8Array> = []): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data) => (output[name] += String(data)))
    let peak = 0
    const watch = setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 5)
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(watch)
      resolve({ code, ...output, peak })
    })
    child.stdin.on('error', () => undefined)
    feed(child.stdin, input[Symbol.iterator]())
  })
}

function feed(stdin: NodeJS.WritableStream, pieces: Iterator<Uint8Array>): void {
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    if (!stdin.write(next.value)) return void stdin.once('drain', () => feed(stdin, pieces))
  }
  stdin.end()
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
