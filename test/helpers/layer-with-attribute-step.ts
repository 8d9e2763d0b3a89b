import { mkdirSync, writeFileSync } from 'node:fs'
import { exec } from '../../images/layers/parts/exec.ts'
import { makeLayer } from '../../images/layers/parts/layer.ts'

// Packs a layer whose files have an extended attribute. Input: /in/erofs.json. Arguments: name and value of the attribute,
// or none.
const [name, value = ''] = process.argv.slice(2)
const ROOT = '/build/root'

mkdirSync(ROOT)
writeFileSync(`${ROOT}/file`, 'text')
if (name !== undefined) await exec('setfattr', ['-n', name, '-v', value, ROOT, `${ROOT}/file`])
await makeLayer('attributes', ROOT)
