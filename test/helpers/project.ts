import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = new URL('../..', import.meta.url).pathname
const SOURCES = ['main.ts', 'errors.ts', 'images', 'overlays', 'hosts', 'lib', 'builder', 'flash', 'cli']
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', '.npmrc']

/** A copy of the project's sources to change and to run, with this one's packages. `remove` ends it. */
export function copyProject(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-project-'))
  for (const name of [...SOURCES, ...SETTINGS]) cpSync(join(HERE, name), join(directory, name), { recursive: true })
  symlinkSync(join(HERE, 'node_modules'), join(directory, 'node_modules'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SpawnOptions {
  readonly cwd: string
  /** Beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program as somebody with an empty home directory does. */
export function runIn({ cwd, env }: SpawnOptions, program: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data) => (said[name] += String(data)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}
