import { existsSync, readFileSync } from 'node:fs'
import type { Unpacked } from '../../npm/npm-package.ts'
import { unpackDebs } from '../parts/deb.ts'
import { inputFiles, inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { unpackNpm } from '../parts/npm.ts'
import { type Pruning, prune } from '../parts/prune.ts'
import { writeStatements } from '../parts/statements.ts'
import { writeTree } from '../parts/tree.ts'
import type { StoredTree } from '../stored-tree.ts'
import { writeContainerStore } from './container-store.ts'

// Builds a container's layer: a read-only containers-storage with one image. The image's root is unpacked Debian packages,
// and npm packages below /app; no maintainer script and no install script runs. Inputs: /in/debs, /in/npm and /in/npm.json
// (optional), /in/tree.json, /in/prune.json, /in/erofs.json.
// Arguments: service, architecture.
const [service = '', architecture = ''] = process.argv.slice(2)
const STORE = '/build/store'

const root = writeContainerStore(STORE, { service, architecture })
const debs = await unpackDebs(inputFiles('debs'), root)
writeStatements(root, debs)
prune(root, inputJson<Pruning>('prune.json'))
if (existsSync('/in/npm.json'))
  unpackNpm(root, inputJson<Unpacked[]>('npm.json'), (file) => readFileSync(`/in/${file}`))
writeTree(root, inputJson<StoredTree>('tree.json'))
await makeLayer(`container-${service}`, STORE)
