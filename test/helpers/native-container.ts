import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { ContainerFile } from '../../overlays/container.ts'
import type { ContainerOnHost } from '../../overlays/host-services.ts'
import { type RunningProgram, startProgram } from './running-program.ts'
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
  /** Programs that the container's scripts find in PATH. */
  readonly inPath?: readonly string[]
  /** Variables that the test adds, such as the CA of a test server. */
  readonly env?: Readonly<Record<string, string>>
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

export async function nativeContainer(container: ContainerOnHost, around: Surroundings): Promise<NativeContainer> {
  const moved = movedPaths(container, around)
  // The Go programs write a socket as unix/PATH.
  const sockets = [['unix//tmp', `unix/${moved['/tmp']}`] as const]
  const replaced = [...Object.entries(moved), ...sockets, ...Object.entries(around.replaced)].sort(
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
  const environment = {
    PATH: await pathWith(around),
    ...environmentOf(container, around, rewrite),
    ...around.env,
  }
  return {
    path: rewrite,
    start: async () => {
      const { file, args } = await words(container.command)
      return startProgram(file, args, environment)
    },
    run: async (command, env = {}) => {
      const { file, args } = await words(command)
      return promisify(execFile)(file, args, { env: { ...environment, ...env } })
    },
  }
}

/** A search path that begins with the programs of the container. */
async function pathWith({ directory, inPath = [] }: Surroundings): Promise<string> {
  const programs = join(directory, 'bin')
  mkdirSync(programs, { recursive: true })
  for (const path of inPath) {
    const words = (await serviceProgram(path)).map((word) => `'${word}'`).join(' ')
    writeFileSync(join(programs, basename(path)), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  }
  return [programs, process.env.PATH ?? '/usr/bin:/bin'].join(':')
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
      return found(`secret '${file.name}'`, secrets[file.name] ?? issued[subjectOfKey(file.name)]?.key)
    case 'template':
      return file.parts.map((part) => (typeof part === 'string' ? part : textOf(part, around))).join('')
  }
}

/** The subject of the certificate whose key is a secret: `certificate-HOST-SUBJECT`. */
function subjectOfKey(secret: string): string {
  return /^certificate-[^-]+-(.+)$/.exec(secret)?.[1] ?? ''
}

function environmentOf({ environment }: ContainerOnHost, around: Surroundings, rewrite: (text: string) => string) {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === 'string' ? rewrite(value) : textOf(value, around),
    ]),
  )
}
