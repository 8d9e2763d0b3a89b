import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { childProgram } from '../helpers/child-program.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'

let project: ReturnType<typeof copyProject>
let docs: string

beforeAll(async () => {
  project = copyProject()
  docs = join(project.directory, 'docs')
  mkdirSync(docs)
  writeFileSync(join(docs, 'file'), 'text')
  await runIn({ cwd: project.directory }, process.execPath, 'cli/hangar.mjs', '--help')
})

afterAll(() => project.remove())

/** Types a command in docs/ of the project. */
function typed(env: Readonly<Record<string, string>>, ...line: string[]) {
  const [program = '', ...args] = line
  return runIn({ cwd: docs, env: { ...env, XDG_CACHE_HOME: join(project.directory, 'cache') } }, program, ...args)
}

/** Each way to start hangar in a directory of the project. */
const STARTS: readonly (readonly [name: string, start: readonly string[]])[] = [
  ['npm run', ['npm', 'run', 'hangar', '--']],
  ['npm --prefix', ['npm', '--prefix', '..', 'run', 'hangar', '--']],
  ['node', ['node', '../cli/hangar.mjs']],
]

describe.each(STARTS)('a relative path typed with %s in docs/', (_, start) => {
  it.each([
    ['--against', ['diff', 'adama', '--against', 'other'], {}, "'DOCS/other/manifest.json' does not exist"],
    ['--from', ['pull', 'adama', '--from', 'shelf'], {}, 'DOCS/shelf'],
    ['HANGAR_STORE', ['generations', 'adama'], { HANGAR_STORE: 'file' }, "cannot use 'DOCS/file' as the store"],
    ['HANGAR_STORE of gc', ['gc'], { HANGAR_STORE: './file' }, "cannot use 'DOCS/file' as the store"],
  ])('of %s starts at docs/', async (_, args, env, expected) => {
    const { code, stderr } = await typed(env as Record<string, string>, ...start, ...args)
    expect(stderr).toContain(expected.replaceAll('DOCS', docs))
    expect(code).toBe(1)
  })
})

/** Resolves the paths of `--disk`, `--to` and `--from` as the commands do. */
const COMMAND = `
import { resolve } from 'node:path'
import { withSession } from './cli/session.ts'
import { parseRemote } from './builder/publish/remote.ts'
import { findTarget } from './flash/disk/target.ts'
const host = { name: 'tiny', disk: 64e9, slotSize: 4 * 2 ** 30 }
await withSession(process.argv[2], async ({ print }) => {
  const { path } = findTarget('card.img', host)
  print([resolve(path), resolve('release'), parseRemote('shelf').remote.directory].join(' '))
})
`

it('resolves --disk, --to and --from where the user typed them', async () => {
  const directory = await tempDirectory()
  mkdirSync(join(directory, 'docs'))
  const program = await childProgram(COMMAND, directory)
  const cwd = join(directory, 'docs')
  const env = { INIT_CWD: cwd, npm_package_json: join(directory, 'package.json') }
  const { stdout, stderr } = await runIn({ cwd: directory, env }, process.execPath, program, directory)
  expect(stderr).toBe('')
  expect(stdout.trim().split(' ')).toEqual(['card.img', 'release', 'shelf'].map((name) => join(cwd, name)))
})
