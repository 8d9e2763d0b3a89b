import { existsSync, readFileSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import type { Unpacked } from '../../npm/npm-package.ts'
import { targetPath } from '../base/carry.ts'
import { makeForeignRoot } from '../base/foreign-root.ts'
import type { ContainerProgram } from '../container-program.ts'
import { inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { unpackNpm } from '../parts/npm.ts'
import { type Pruning, prune } from '../parts/prune.ts'
import { runStep } from '../parts/run-step.ts'
import { writeStatements } from '../parts/statements.ts'
import { writeTree } from '../parts/tree.ts'
import type { StoredTree } from '../stored-tree.ts'
import { writeContainerStore } from './container-store.ts'
import { packageFinder, requirePrograms } from './require-programs.ts'

// Builds a container's layer: a read-only containers-storage with one image. The image's root is configured Debian packages,
// and npm packages below /app, whose install scripts do not run.
// Inputs: /in/native and /in/target (packages), /in/accounts, /in/tree.json, /in/without-scripts.json,
// /in/programs.json, /in/npm and /in/npm.json (optional), /in/prune.json, /in/erofs.json. Arguments: builder, target, service.
const [builder, target, service] = process.argv.slice(2) as [Architecture, Architecture, string]
const STORE = '/build/store'

await runStep(async () => {
  const root = writeContainerStore(STORE, { service, architecture: target })
  const withoutScripts = inputJson<string[]>('without-scripts.json')
  const { debs, native } = await makeForeignRoot(root, { builder, target, purpose: 'container', withoutScripts })
  writeStatements(root, debs)
  prune(root, inputJson<Pruning>('prune.json'))
  if (existsSync('/in/npm.json'))
    unpackNpm(root, inputJson<Unpacked[]>('npm.json'), (file) => readFileSync(`/in/${file}`))
  writeTree(root, inputJson<StoredTree>('tree.json'))
  const finder = packageFinder(native, (path) => targetPath(path, builder, target))
  requirePrograms(root, target, inputJson<ContainerProgram[]>('programs.json'), finder)
  await makeLayer(`container-${service}`, STORE)
})
