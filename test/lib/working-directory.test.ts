import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { typedDirectory } from '../../lib/working-directory.ts'
import { tempDirectory } from '../helpers/temp.ts'

async function projectWithDocs() {
  const project = await tempDirectory()
  const docs = join(project, 'docs')
  mkdirSync(docs)
  return { project, docs, description: join(project, 'package.json') }
}

describe('the directory where the user typed the command', () => {
  it('is INIT_CWD when npm started hangar in the project', async () => {
    const { project, docs, description } = await projectWithDocs()
    const env = { INIT_CWD: docs, npm_package_json: description }
    expect(typedDirectory(env, project, () => project)).toBe(docs)
    expect(typedDirectory({ INIT_CWD: docs }, project, () => project)).toBe(docs)
  })

  it('is INIT_CWD when the project is named by a symbolic link, as with npm --prefix', async () => {
    const { project, docs } = await projectWithDocs()
    const link = join(await tempDirectory(), 'link')
    symlinkSync(project, link)
    const env = { INIT_CWD: docs, npm_package_json: join(link, 'package.json') }
    expect(typedDirectory(env, project, () => project)).toBe(docs)
  })

  it.each([
    ['npm did not start hangar', () => ({})],
    [
      'a script of another project started hangar',
      (docs: string) => ({ INIT_CWD: docs, npm_package_json: '/p/package.json' }),
    ],
  ])('is the current directory when %s', async (_, env) => {
    const { project, docs } = await projectWithDocs()
    expect(typedDirectory(env(docs), project, () => project)).toBeUndefined()
  })

  it('is the current directory when a script entered another directory before it started hangar', async () => {
    const { project, docs, description } = await projectWithDocs()
    const env = { INIT_CWD: project, npm_package_json: description }
    expect(typedDirectory(env, project, () => docs)).toBeUndefined()
  })
})
