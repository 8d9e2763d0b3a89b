import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeLayer } from '../parts/layer.ts'
import { type StoredTree, writeTree } from '../parts/tree.ts'
import { walk } from '../parts/walk.ts'

// Makes a layer of files that overlays describe, and of programs. Inputs: /in/tree.json, /in/programs (by their paths),
// /in/erofs.json. Argument: the layer's name.
const PROGRAMS = '/in/programs'
const ROOT = '/build/root'
const tree = JSON.parse(readFileSync('/in/tree.json', 'utf8')) as StoredTree
writeTree(ROOT, tree)
if (existsSync(PROGRAMS)) layPrograms()
await makeLayer(process.argv[2] ?? 'host', ROOT, JSON.parse(readFileSync('/in/erofs.json', 'utf8')) as string[])

function layPrograms(): void {
  for (const [path, { kind }] of walk(PROGRAMS)) {
    if (kind !== 'file') continue
    mkdirSync(dirname(ROOT + path), { recursive: true })
    copyFileSync(PROGRAMS + path, ROOT + path)
    chmodSync(ROOT + path, 0o755)
  }
}
