import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAssets } from '../../builder/assets.ts'
import { deviceSources } from '../../overlays/device/manifest.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'

/** Bytes of every file below a directory by path. */
function filesOf(directory: string): Record<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [file.slice(directory.length + 1), readFileSync(file)]
    }),
  )
}

function withWindowsEndings(directory: string): void {
  for (const [path, bytes] of Object.entries(filesOf(directory))) {
    writeFileSync(join(directory, path), bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
  }
}

describe('readAssets', () => {
  it.each(deviceSources())('refuses %s with Windows line endings, by name', async (source) => {
    const project = await tempDirectory()
    mkdirSync(join(project, 'dist/steps'), { recursive: true })
    const file = join(project, 'overlays/device', source)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, readFileSync(join(PROJECT, 'overlays/device', source), 'utf8'))
    expect(readAssets(project, [source]).deviceFiles[source]).toBe(readFileSync(file, 'utf8'))
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'))
    expect(() => readAssets(project, [source])).toThrow(
      expect.objectContaining({
        code: 'format',
        message: expect.stringContaining(`cannot put '${file}' into an image: line 1 has a carriage return`),
        hint: expect.stringContaining(`sed -i 's/\\r$//' '${file}'`),
      }),
    )
    execFileSync('sed', ['-i', 's/\\r$//', file])
    expect(readAssets(project, [source]).deviceFiles[source]).not.toContain('\r')
  })
})

describe('sources with Windows line endings', () => {
  const projects = [copyProject(), copyProject()] as const
  beforeAll(async () => {
    for (const name of ['images', 'overlays', 'hosts', 'lib']) withWindowsEndings(join(projects[1].directory, name))
    for (const { directory } of projects) await runIn({ cwd: directory }, process.execPath, 'cli/bundle.mjs')
  })
  afterAll(() => {
    for (const project of projects) project.remove()
  })

  it('compile to the same steps', () => {
    const [unix, windows] = projects.map(({ directory }) => filesOf(join(directory, 'dist/steps')))
    expect(Object.keys(unix ?? {}).length).toBeGreaterThan(3)
    expect(windows).toEqual(unix)
  })
})

describe('a clone', () => {
  it.each(['true', 'input', 'false'])('has Unix line endings with core.autocrlf=%s', async (autocrlf) => {
    const directory = await tempDirectory()
    const env = { PATH: process.env.PATH, HOME: directory }
    const origin = join(directory, 'origin')
    const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, env, stdio: 'pipe' })
    git('init', '--quiet', origin)
    const files = ['.gitattributes', 'cli/hangar.mjs', ...deviceSources().map((source) => `overlays/device/${source}`)]
    for (const file of files) {
      mkdirSync(dirname(join(origin, file)), { recursive: true })
      writeFileSync(join(origin, file), readFileSync(join(PROJECT, file)))
    }
    const as = ['-C', origin, '-c', 'user.name=owner', '-c', 'user.email=owner@lab.invalid']
    git(...as, 'add', '.')
    git(...as, 'commit', '--quiet', '--message=first')
    git('clone', '--quiet', '-c', `core.autocrlf=${autocrlf}`, origin, join(directory, 'clone'))
    for (const file of files) {
      expect(readFileSync(join(directory, 'clone', file), 'utf8')).toBe(readFileSync(join(PROJECT, file), 'utf8'))
    }
  })
})
