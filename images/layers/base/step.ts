import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Architecture } from '../../architecture.ts'
import { makeForeignRoot } from '../parts/foreign-root.ts'
import { makeLayer } from '../parts/layer.ts'
import { prune } from '../parts/prune.ts'
import { leaveStatements } from '../parts/statements.ts'

// Makes the `base` layer. Inputs: /in/native and /in/target (packages), /in/accounts, /in/prune.json, /in/erofs.json.
// Arguments: builder, target.
const [builder, target] = process.argv.slice(2) as [Architecture, Architecture]
const ROOT = '/build/root'

const debs = await makeForeignRoot(ROOT, {
  native: '/in/native/debs',
  target: '/in/target/debs',
  accounts: '/in/accounts',
  builder,
  targetArchitecture: target,
})
leaveStatements(ROOT, debs)
prune(ROOT, JSON.parse(readFileSync('/in/prune.json', 'utf8')))
keepDatabase()
emptyVar()
for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'var', 'data', 'boot'])
  mkdirSync(`${ROOT}/${name}`, { recursive: true })
await makeLayer('base', ROOT, JSON.parse(readFileSync('/in/erofs.json', 'utf8')) as string[])

/** What is installed is the image's to say, not the slot's /var, which is made anew. */
function keepDatabase(): void {
  mkdirSync(`${ROOT}/usr/lib/sysimage`, { recursive: true })
  renameSync(`${ROOT}/var/lib/dpkg`, `${ROOT}/usr/lib/sysimage/dpkg`)
  symlinkSync('/usr/lib/sysimage/dpkg', `${ROOT}/var/lib/dpkg`)
}

/** Each slot's /var starts as a copy of this. */
function emptyVar(): void {
  const factory = `${ROOT}/usr/share/factory/var`
  if (existsSync(factory)) rmSync(factory, { recursive: true })
  mkdirSync(dirname(factory), { recursive: true })
  renameSync(`${ROOT}/var`, factory)
}
