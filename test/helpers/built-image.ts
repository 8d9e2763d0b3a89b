import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { TestProject } from 'vitest/node'
import { ownedDirectory } from '../../flash/owned-directory.ts'
import { copyProject } from './project.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The copy of the project whose images the machines boot. */
    project: string
    /** Directory for saved machine states. The test files of one run share it, and it is deleted after the run. */
    savedStates: string
  }
}

/** Runs once before the test files that boot virtual machines: builds Adama's image in a copy of the project. */
export function setup({ provide }: TestProject): () => void {
  const project = copyProject()
  buildImage('adama', project.directory)
  // The next virtual machine deletes the directory if this process is killed.
  const states = ownedDirectory(tmpdir())
  provide('savedStates', states)
  provide('project', project.directory)
  return () => {
    rmSync(states, { recursive: true, force: true })
    project.remove()
  }
}

/** Builds the image of a host in a project. */
export function buildImage(host: string, project: string): void {
  runHangar(project, 'build', host, ...(process.env.CI === 'true' ? ['--frozen'] : []))
}

/** Makes what a host needs that joins a lab after its first build: an identity, and its random secrets. */
export function joinLab(host: string, project: string): void {
  runHangar(project, 'init', host)
  runHangar(project, 'secrets', 'generate')
}

/** Runs a command in a project. hangar creates no keys if the variable CI is set, so this function unsets CI. */
function runHangar(project: string, ...words: string[]): void {
  const { status } = spawnSync(process.execPath, ['cli/hangar.mjs', ...words], {
    cwd: project,
    env: { ...process.env, CI: '' },
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error(`'npm run hangar -- ${words.join(' ')}' exited with ${status}`)
}
