import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { editPrivately } from '../../cli/editor.ts'
import { childProgram } from '../helpers/child-program.ts'
import { eventually } from '../helpers/eventually.ts'
import { tempDirectory } from '../helpers/temp.ts'

const TMPFS = 0x01021994
const HAS_MEMORY = existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS
if (!HAS_MEMORY) console.warn('skipped: the editor of secrets, because /dev/shm is not in memory')

const PATH = process.env.PATH ?? ''

/** Edits a secret until a signal ends it. */
const PROGRAM = `
import { editPrivately } from './cli/editor.ts'
import { withSession } from './cli/session.ts'
const env = { ...process.env, EDITOR: 'sleep 60 #' }
await withSession('/', async ({ signal }) => {
  await editPrivately({ env, name: 'test-key', text: 'before', signal, places: process.argv.slice(2) })
})
`

describe.skipIf(!HAS_MEMORY)('editPrivately', () => {
  const edit = async (editor: string, env: NodeJS.ProcessEnv = {}) => {
    const place = await tempDirectory('/dev/shm')
    const log = join(await tempDirectory(), 'log')
    const given = { PATH, LOG: log, EDITOR: editor, ...env }
    const edited = editPrivately({
      ...{ env: given, name: 'test-key', text: 'before\n', signal: new AbortController().signal, places: [place] },
    })
    return { edited, place, log: () => readFileSync(log, 'utf8').trim().split('\n') }
  }

  it('the file is in memory, only its user can read it, and it is gone afterwards', async () => {
    const { edited, place, log } = await edit('stat -c "%a %n" "$(dirname "$1")" "$1" >"$LOG"; cat "$1" >>"$LOG"; true')
    expect(await edited).toBe('before\n')
    const [directory, file, text] = log()
    expect(directory).toMatch(new RegExp(`^700 ${place}/hangar-`))
    expect(file).toMatch(/^600 .*\/test-key$/)
    expect(text).toBe('before')
    expect(readdirSync(place)).toEqual([])
  })

  it('returns the changed text, with an editor that has options', async () => {
    const { edited } = await edit('sed -i -e s/before/after/')
    expect(await edited).toBe('after\n')
  })

  it('VISUAL counts before EDITOR', async () => {
    const { edited } = await edit('false', { VISUAL: 'sed -i s/before/visual/' })
    expect(await edited).toBe('visual\n')
  })

  it('reports an editor that fails, and removes the file', async () => {
    const { edited, place } = await edit('exit 3; true')
    await expect(edited).rejects.toMatchObject({
      message: "the secret is unchanged: the editor 'exit 3; true' ended with 3",
    })
    expect(readdirSync(place)).toEqual([])
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('removes the file when %s ends the program', async (signal) => {
    const [place, work] = [await tempDirectory('/dev/shm'), await tempDirectory()]
    const program = await childProgram(PROGRAM, work)
    const child = spawn(process.execPath, [program, place], { env: { PATH, HOME: work }, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await eventually(async () => readdirSync(place).length === 1, 30)
    child.kill(signal)
    await ended
    expect(readdirSync(place)).toEqual([])
  })
})

describe('an editor that cannot start', () => {
  it('names the variable when no editor is set', async () => {
    const signal = new AbortController().signal
    await expect(editPrivately({ env: {}, name: 'x', text: '', signal })).rejects.toMatchObject({
      message: 'cannot start an editor: neither VISUAL nor EDITOR is set',
      hint: 'set one of them, for example: EDITOR=nano npm run secrets edit NAME',
    })
  })

  it('refuses to write a secret to a disk', async () => {
    const request = { env: { EDITOR: 'true' }, name: 'x', text: '', signal: new AbortController().signal }
    await expect(editPrivately({ ...request, places: ['/proc', '/does-not-exist'] })).rejects.toMatchObject({
      message: 'cannot edit a secret: none of these directories is in memory: /proc, /does-not-exist',
      hint: expect.stringContaining('npm run secrets set NAME'),
    })
  })
})
