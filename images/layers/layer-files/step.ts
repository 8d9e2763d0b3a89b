import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { exec } from '../parts/exec.ts'
import { runStep } from '../parts/run-step.ts'
import { walk } from '../parts/walk.ts'
import type { LayerFile } from './recipe.ts'

// Lists the files of a layer, sorted, one line of JSON per path. Input: /in/layer.erofs.
const ROOT = '/build/root'

await runStep(async () => {
  await exec('fsck.erofs', [`--extract=${ROOT}`, '--preserve', '/in/layer.erofs'])
  const lines = [...walk(ROOT)].map(([path, { kind, mode, uid, gid, size, target }]) => {
    const listed: LayerFile = {
      ...{ path, kind, mode, uid, gid },
      ...(kind === 'file' ? { size, sha256: hash('sha256', readFileSync(ROOT + path), 'hex') } : {}),
      ...(kind === 'symlink' ? { target } : {}),
    }
    return `${JSON.stringify(listed)}\n`
  })
  writeFileSync('/out/files.jsonl', lines.join(''))
})
