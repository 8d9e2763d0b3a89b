import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRevision } from '../../builder/revision.ts'
import { tempDirectory } from '../helpers/temp.ts'

const COMMIT = /^[0-9a-f]{40}$/
const DIRTY = /^[0-9a-f]{40}-dirty$/
const OWNER = 1000

/** A git repository with a host file, which is committed by default. */
async function project(state: 'committed' | 'without a commit' = 'committed') {
  const directory = await tempDirectory()
  const env = { PATH: process.env.PATH, HOME: await tempDirectory() }
  const as = ['-c', 'user.name=owner', '-c', 'user.email=owner@lab.invalid']
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...as, ...args], { env, stdio: 'pipe' })
  const write = (name: string) => writeFile(join(directory, name), `// ${name}\n`)
  git('init', '--quiet')
  await mkdir(join(directory, 'hosts'))
  await write('hosts/adama.ts')
  await writeFile(join(directory, '.gitignore'), 'out/\n')
  if (state === 'committed') {
    git('add', '.')
    git('commit', '--quiet', '--message=first')
  }
  return { directory, git, write, revision: (more = {}) => projectRevision(directory, { ...env, ...more }) }
}

describe('projectRevision', () => {
  it('returns the commit when nothing changed', async () => {
    const { git, revision } = await project()
    expect(await revision()).toMatch(COMMIT)
    expect(await revision()).toBe(git('rev-parse', 'HEAD').toString().trim())
  })

  it('marks the revision as dirty when a file changed, staged or not', async () => {
    const { directory, git, revision } = await project()
    await appendFile(join(directory, 'hosts/adama.ts'), '// more\n')
    expect(await revision()).toMatch(DIRTY)
    git('add', '.')
    expect(await revision()).toMatch(DIRTY)
  })

  it('marks the revision as dirty with an untracked host file', async () => {
    const { write, revision } = await project()
    await write('hosts/starbuck.ts')
    expect(await revision()).toMatch(DIRTY)
  })

  it('ignores files that git ignores', async () => {
    const { directory, write, revision } = await project()
    await mkdir(join(directory, 'out'))
    await write('out/slot.img')
    expect(await revision()).toMatch(COMMIT)
  })

  it('returns null before the first commit, outside of a repository, and without git', async () => {
    expect(await (await project('without a commit')).revision()).toBeNull()
    const directory = await tempDirectory()
    expect(await projectRevision(directory, { ...process.env, HOME: directory })).toBeNull()
    const { revision } = await project()
    expect(await revision({ PATH: directory })).toBeNull()
  })

  it('runs no hook or monitor of the repository', async () => {
    const { directory, git, revision } = await project()
    const ran = join(directory, 'out/ran')
    await mkdir(join(directory, 'out'))
    const program = { text: `#!/bin/sh\n: >'${ran}'\n`, options: { mode: 0o755 } }
    await writeFile(join(directory, '.git/hooks/post-index-change'), program.text, program.options)
    await writeFile(join(directory, 'out/monitor'), program.text, program.options)
    git('config', 'core.fsmonitor', join(directory, 'out/monitor'))
    // A new modification time makes git refresh its index.
    execFileSync('touch', ['--date=@1', join(directory, 'hosts/adama.ts')])
    expect(await revision()).toMatch(COMMIT)
    expect(existsSync(ran)).toBe(false)
  })
})

describe.skipIf(process.getuid?.() !== 0)('projectRevision of a checkout that root does not own', () => {
  const foreign = async () => {
    const made = await project()
    execFileSync('chown', ['-R', `${OWNER}:${OWNER}`, made.directory])
    return made
  }

  it('returns the revision of a checkout whose owner ran sudo', async () => {
    const { revision } = await foreign()
    expect(await revision({ SUDO_UID: String(OWNER) })).toMatch(COMMIT)
  })

  it('returns null for a checkout of another user', async () => {
    const { revision } = await foreign()
    expect(await revision()).toBeNull()
    expect(await revision({ SUDO_UID: String(OWNER + 1) })).toBeNull()
  })
})
