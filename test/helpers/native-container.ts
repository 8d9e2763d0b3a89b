import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { ContainerFile } from '../../overlays/container.ts'
import type { ContainerOnHost } from '../../overlays/host-services.ts'
import { serviceProgram } from './service-programs.ts'
import type { Issued } from './test-ca.ts'

/** What a container gets from its host. */
export interface Surroundings {
  /** A directory for the files and volumes of the container. Containers with the same directory share volumes. */
  readonly directory: string
  readonly ca: string
  /** The certificates by subject. */
  readonly issued: Readonly<Record<string, Issued>>
  readonly secrets?: Readonly<Record<string, string>>
  /** Texts to replace in files and commands, such as ports and names that the test cannot use: text -> text. */
  readonly replaced: Readonly<Record<string, string>>
}

/** A container whose programs run on this machine: its paths are moved below a directory. */
export interface NativeContainer {
  /** The path of a file of the container on this machine. */
  path(inContainer: string): string
  /** Starts the program of the container. */
  start(): Promise<RunningProgram>
  /** Runs a command of the container, and returns its output. Rejects if it fails. */
  run(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<{ stdout: string; stderr: string }>
}

export interface RunningProgram {
  /** The output so far. */
  output(): string
  /** The exit status, when the program has ended. */
  readonly ended: Promise<number | null>
  /** Ends the program, and waits for its end. */
  stop(): Promise<void>
  readonly pid: number
}

export function nativeContainer(container: ContainerOnHost, around: Surroundings): NativeContainer {
  const moved = movedPaths(container, around)
  const replaced = [...Object.entries(moved), ...Object.entries(around.replaced)].sort(
    ([a], [b]) => b.length - a.length,
  )
  const rewrite = (text: string) => rewritten(text, replaced)
  for (const path of Object.values(container.volumes))
    mkdirSync(join(around.directory, 'volumes', path), { recursive: true })
  mkdirSync(moved['/tmp'] ?? '', { recursive: true })
  for (const [path, file] of Object.entries(container.files)) {
    const target = moved[path] ?? ''
    mkdirSync(dirname(target), { recursive: true })
    const text = textOf(file, around)
    writeFileSync(target, file.kind === 'text' ? rewrite(text) : text)
    // Private files have the mode that the host gives them.
    chmodSync(target, isPrivate(file) ? 0o400 : 0o644)
  }
  const words = async ([program = '', ...args]: readonly string[]) => {
    const [file, ...first] = moved[program] === undefined ? await serviceProgram(program) : [rewrite(program)]
    return { file, args: [...first, ...args.map(rewrite)] }
  }
  const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', ...environmentOf(container, around, rewrite) }
  return {
    path: rewrite,
    start: async () => {
      const { file, args } = await words(container.command)
      return running(spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment }))
    },
    run: async (command, env = {}) => {
      const { file, args } = await words(command)
      return promisify(execFile)(file, args, { env: { ...environment, ...env } })
    },
  }
}

function movedPaths({ name, files, volumes }: ContainerOnHost, { directory }: Surroundings): Record<string, string> {
  return {
    '/tmp': join(directory, name, 'tmp'),
    ...Object.fromEntries(Object.keys(files).map((path) => [path, join(directory, name, 'files', path)])),
    ...Object.fromEntries(Object.entries(volumes).map(([path, volume]) => [path, join(directory, 'volumes', volume)])),
  }
}

/** Replaces all texts at once, so that no replacement is replaced again. A text counts only as a whole word. */
function rewritten(text: string, replaced: readonly (readonly [string, string])[]): string {
  const escaped = replaced.map(([from]) => from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`(?<![\\w./-])(${escaped.join('|')})(?![\\w-])`, 'g')
  const found = new Map(replaced)
  return text.replace(pattern, (match) => found.get(match) ?? match)
}

function isPrivate({ kind }: ContainerFile): boolean {
  return kind === 'secret' || kind === 'template' || kind === 'certificate-key'
}

function textOf(file: ContainerFile, around: Surroundings): string {
  const { ca, issued, secrets = {} } = around
  const found = (what: string, text: string | undefined) => {
    if (text === undefined) throw new Error(`the test gives the container no ${what}`)
    return text
  }
  switch (file.kind) {
    case 'text':
      return file.text
    case 'ca':
      return ca
    case 'certificate':
      return found(`certificate of '${file.subject}'`, issued[file.subject]?.certificate)
    case 'certificate-key':
      return found(`key of '${file.subject}'`, issued[file.subject]?.key)
    case 'secret':
      return found(`secret '${file.name}'`, secrets[file.name])
    case 'template':
      return file.parts.map((part) => (typeof part === 'string' ? part : textOf(part, around))).join('')
  }
}

function environmentOf({ environment }: ContainerOnHost, around: Surroundings, rewrite: (text: string) => string) {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === 'string' ? rewrite(value) : textOf(value, around),
    ]),
  )
}

function running(child: ChildProcess): RunningProgram {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (output += bytes))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    output: () => output,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
    pid: child.pid ?? 0,
  }
}
