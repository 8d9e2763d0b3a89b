import { readFileSync } from 'node:fs'
import { makeLayer } from './parts/layer.ts'
import { type StoredTree, writeTree } from './parts/tree.ts'

// Makes a layer of files that overlays describe. Inputs: /in/tree.json, /in/erofs.json. Argument: the layer's name.
const tree = JSON.parse(readFileSync('/in/tree.json', 'utf8')) as StoredTree
writeTree('/build/root', tree)
await makeLayer(
  process.argv[2] ?? 'host',
  '/build/root',
  JSON.parse(readFileSync('/in/erofs.json', 'utf8')) as string[],
)
