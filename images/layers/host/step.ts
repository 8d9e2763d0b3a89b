import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { runStep } from '../parts/run-step.ts'
import { writeTree } from '../parts/tree.ts'
import { walk } from '../parts/walk.ts'
import type { StoredTree } from '../stored-tree.ts'

// Builds the `host` layer. Inputs: /in/tree.json, /in/programs (by their path on the host), /in/erofs.json.
const PROGRAMS = '/in/programs'
const ROOT = '/build/root'

await runStep(async () => {
  writeTree(ROOT, inputJson<StoredTree>('tree.json'))
  if (existsSync(PROGRAMS)) copyPrograms()
  await makeLayer('host', ROOT)
})

function copyPrograms(): void {
  for (const [path, { kind }] of walk(PROGRAMS)) {
    if (kind !== 'file') continue
    mkdirSync(dirname(ROOT + path), { recursive: true })
    copyFileSync(PROGRAMS + path, ROOT + path)
    chmodSync(ROOT + path, 0o755)
  }
}
