#!/usr/bin/env node
// Starts hangar, and compiles it first if a source has changed. This file is plain JavaScript, because it runs before
// any compilation.
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

requireNode(20, 12)
if (isStale()) await compile()
const { main } = await import('../dist/hangar.mjs')
await main(process.argv.slice(2), PROJECT)

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number)
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return
  fail(`Node ${process.versions.node} is too old: wanted Node ${major}.${minor} or newer`, 'install a newer Node')
}

/**
 * Whether a source has changed since the last compilation, by the stamp. This takes about 200 stat calls, a few
 * milliseconds.
 */
function isStale() {
  try {
    const stamp = JSON.parse(readFileSync(join(PROJECT, 'dist/stamp.json'), 'utf8'))
    return Object.entries(stamp).some(([path, [mtime, size]]) => {
      const now = statSync(join(PROJECT, path))
      return now.mtimeMs !== mtime || now.size !== size
    })
  } catch {
    return true
  }
}

async function compile() {
  const { bundle, compileErrors } = await import('./bundle.mjs')
  try {
    await bundle(PROJECT)
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') fail('npm packages are missing', 'npm ci')
    // The error of a system call: `EROFS: read-only file system, mkdir '/project/dist'`.
    if (error.syscall !== undefined)
      fail(
        `cannot compile hangar in '${PROJECT}': ${error.message}`,
        error.code === 'ENOSPC'
          ? `free disk space: df -h '${PROJECT}'`
          : `make '${PROJECT}/dist' writable, or work in a copy of the project that you can write to`,
      )
    const [first, ...others] = compileErrors(error) ?? []
    if (first === undefined) throw error
    fail(
      `cannot compile hangar: ${first}${others.map((line) => `\n  ${line}`).join('')}`,
      'check the types: npm run types',
    )
  }
}

function fail(message, hint) {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`)
  process.exit(1)
}
