import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const HERE = new URL('../..', import.meta.url).pathname
const SOURCES = ['main.ts', 'errors.ts', 'images', 'overlays', 'hosts', 'lib', 'builder', 'flash', 'cli']
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', '.npmrc']

export interface TemporaryProject {
  readonly directory: string
  remove(): void
}

export function temporaryProject(): TemporaryProject {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-project-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/**
 * Copies the project's sources, to change and run them with this project's packages. Leaves out the identities, secrets and
 * certificates of the owner's hosts: only the owner can decrypt them, and tests need hosts whose keys they have.
 */
export function copyProject(): TemporaryProject {
  const project = temporaryProject()
  const { directory } = project
  for (const name of [...SOURCES, ...SETTINGS])
    cpSync(join(HERE, name), join(directory, name), { recursive: true, filter: isSource })
  symlinkSync(join(HERE, 'node_modules'), join(directory, 'node_modules'))
  return project
}

const PRIVATE = /^hosts\/([^/]+\.identity\.(age|json)|secrets|certificates)$/

function isSource(path: string): boolean {
  return !PRIVATE.test(relative(HERE, path))
}

/** Returns a digest over the paths and bytes of all files that `copyProject` copies. */
export function projectDigest(): string {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    if (PRIVATE.test(path)) return
    if (statSync(join(HERE, path)).isDirectory()) {
      for (const name of readdirSync(join(HERE, path)).sort()) add(join(path, name))
    } else {
      const bytes = readFileSync(join(HERE, path))
      hash.update(`${path}\0${bytes.length}\0`).update(bytes)
    }
  }
  for (const name of [...SOURCES, ...SETTINGS]) add(name)
  return hash.digest('hex')
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SpawnOptions {
  readonly cwd: string
  /** Directories added to PATH, and the value of HOME. */
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program with `cwd` as its home directory. */
export function runIn({ cwd, env }: SpawnOptions, program: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data) => (output[name] += String(data)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...output }))
  })
}
