import { readdirSync, readFileSync } from 'node:fs'
import { writeContainerStore } from '../parts/container-store.ts'
import { unpackDebs } from '../parts/deb.ts'
import { makeLayer } from '../parts/layer.ts'
import { prune } from '../parts/prune.ts'
import { leaveStatements } from '../parts/statements.ts'
import { type StoredTree, writeTree } from '../parts/tree.ts'

// Makes a container's layer: a read-only containers-storage of one image, whose root is Debian packages that were only
// unpacked. Inputs: /in/debs, /in/tree.json, /in/prune.json, /in/erofs.json. Arguments: service, architecture.
const [service = '', architecture = ''] = process.argv.slice(2)
const STORE = '/build/store'
const diff = writeContainerStore(STORE, { service, architecture })

const debs = await unpackDebs(
  readdirSync('/in/debs')
    .sort()
    .map((name) => `/in/debs/${name}`),
  diff,
)
leaveStatements(diff, debs)
prune(diff, JSON.parse(readFileSync('/in/prune.json', 'utf8')))
writeTree(diff, JSON.parse(readFileSync('/in/tree.json', 'utf8')) as StoredTree)
await makeLayer(`container-${service}`, STORE, JSON.parse(readFileSync('/in/erofs.json', 'utf8')) as string[])
