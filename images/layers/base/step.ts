import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Architecture } from '../../architecture.ts'
import { inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { writePaths } from '../parts/path-list.ts'
import { type Pruning, prune } from '../parts/prune.ts'
import { runStep } from '../parts/run-step.ts'
import { writeStatements } from '../parts/statements.ts'
import { makeForeignRoot } from './foreign-root.ts'

// Builds the `base` layer. Inputs: /in/native and /in/target (packages), /in/accounts, /in/prune.json, /in/erofs.json.
// Arguments: builder, target.
const [builder, target] = process.argv.slice(2) as [Architecture, Architecture]
const ROOT = '/build/root'

await runStep(async () => {
  const { debs } = await makeForeignRoot(ROOT, { builder, target, purpose: 'host' })
  writeStatements(ROOT, debs)
  prune(ROOT, inputJson<Pruning>('prune.json'))
  moveDatabase()
  moveVar()
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'var', 'data', 'boot'])
    mkdirSync(`${ROOT}/${name}`, { recursive: true })
  writePaths(ROOT)
  await makeLayer('base', ROOT)
})

/** Moves dpkg's database to /usr: the installed packages belong to the image, and each slot gets a fresh /var. */
function moveDatabase(): void {
  mkdirSync(`${ROOT}/usr/lib/sysimage`, { recursive: true })
  renameSync(`${ROOT}/var/lib/dpkg`, `${ROOT}/usr/lib/sysimage/dpkg`)
  symlinkSync('/usr/lib/sysimage/dpkg', `${ROOT}/var/lib/dpkg`)
}

/** Moves /var to /usr/share/factory, from where the device copies it to each slot's /var. */
function moveVar(): void {
  const factory = `${ROOT}/usr/share/factory/var`
  if (existsSync(factory)) rmSync(factory, { recursive: true })
  mkdirSync(dirname(factory), { recursive: true })
  renameSync(`${ROOT}/var`, factory)
}
