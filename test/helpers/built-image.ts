import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { ownedDirectory } from '../../flash/owned-directory.ts'

const PROJECT = join(import.meta.dirname, '../..')

declare module 'vitest' {
  interface ProvidedContext {
    /** Directory for saved machine states. The test files of one run share it, and it is deleted after the run. */
    savedStates: string
  }
}

/** Runs once before the test files that boot virtual machines: builds Adama's image and creates the owner's keys. */
export function setup({ provide }: TestProject): () => void {
  buildImage('adama')
  // The next virtual machine deletes the directory if this process is killed.
  const states = ownedDirectory(tmpdir())
  provide('savedStates', states)
  return () => rmSync(states, { recursive: true, force: true })
}

/** Builds the image of a host. hangar creates no keys if the variable CI is set, so this function unsets CI. */
export function buildImage(host: string): void {
  const frozen = process.env.CI === 'true' ? ['--frozen'] : []
  const { status } = spawnSync(process.execPath, [join(PROJECT, 'cli/hangar.mjs'), 'build', host, ...frozen], {
    cwd: PROJECT,
    env: { ...process.env, CI: '' },
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error(`cannot build the image: 'npm run build:image ${host}' exited with ${status}`)
}
