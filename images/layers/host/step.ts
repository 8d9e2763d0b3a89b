import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Refusal } from '../../refusal.ts'
import { inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { pathsOf } from '../parts/path-list.ts'
import { runStep } from '../parts/run-step.ts'
import { writeTree } from '../parts/tree.ts'
import { walk } from '../parts/walk.ts'
import { PATHS_FILE, type PathList } from '../paths-file.ts'
import type { StoredTree } from '../stored-tree.ts'
import { missingTargets } from './missing-targets.ts'

// Builds the `host` layer. Inputs: /in/tree.json, /in/programs (by their path on the host), /in/base/paths.json,
// /in/erofs.json.
const PROGRAMS = '/in/programs'
const ROOT = '/build/root'

await runStep(async () => {
  writeTree(ROOT, inputJson<StoredTree>('tree.json'))
  if (existsSync(PROGRAMS)) copyPrograms()
  requireTargets()
  await makeLayer('host', ROOT)
})

function requireTargets(): void {
  const host = pathsOf(ROOT)
  const names = Object.keys(host).filter((path) => path.startsWith('/etc/systemd/system/') && path.endsWith('.service'))
  const isFile = (path: string) => host[path] === ''
  const units = names.filter(isFile).map((path): [string, string] => [path, readFileSync(ROOT + path, 'utf8')])
  const missing = missingTargets(host, inputJson<PathList>(`base/${PATHS_FILE}`), Object.fromEntries(units))
  if (missing.length === 0) return
  const list = missing.map(({ path, target }) => `'${path}' needs '${target}'`).join(', ')
  throw new Refusal(
    'host',
    `the image lacks files that the host layer refers to: ${list}`,
    'correct the value in the host file, or add the Debian package with the file to overlays/base/packages.ts',
  )
}

function copyPrograms(): void {
  for (const [path, { kind }] of walk(PROGRAMS)) {
    if (kind !== 'file') continue
    mkdirSync(dirname(ROOT + path), { recursive: true })
    copyFileSync(PROGRAMS + path, ROOT + path)
    chmodSync(ROOT + path, 0o755)
  }
}
