#!/usr/bin/env node
// Starts the program; compiles it first where a source has changed. Plain JavaScript: it runs before anything is compiled.
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
  fail(`Node ${process.versions.node} is too old: wanted ${major}.${minor} or newer`, 'install a newer Node')
}

/** Compares every source that the bundle was made of with what it was then: some 200 stats, a few milliseconds. */
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
  const { bundle, complaints } = await import('./bundle.mjs')
  try {
    await bundle(PROJECT)
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') fail('the packages that hangar needs are not installed', 'npm ci')
    const [first, ...others] = complaints(error) ?? []
    if (first === undefined) throw error
    fail(`cannot compile hangar: ${first}${others.map((line) => `\n  ${line}`).join('')}`, 'npm run types says more')
  }
}

function fail(message, hint) {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`)
  process.exit(1)
}
