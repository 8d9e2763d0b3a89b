import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The text of a program for Node.js, with the paths of a container moved below a directory. */
export function movedBelow(directory: string, text: string, paths: readonly string[]): string {
  return text.replace(new RegExp(`'(${paths.join('|')})(?=[/'])`, 'g'), (_, path) => `'${join(directory, path)}`)
}

export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

/** Runs a program with this Node.js. Returns its output as JSON; throws an error with its stderr if it fails. */
export function runNode(...args: string[]): unknown {
  const env = { PATH: process.env.PATH }
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env }))
}
