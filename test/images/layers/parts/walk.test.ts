import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { walk } from '../../../../images/layers/parts/walk.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

describe('walk', () => {
  it('returns every path, sorted, without following links', async () => {
    const root = await tempDirectory()
    mkdirSync(`${root}/b/c`, { recursive: true })
    writeFileSync(`${root}/b/c/file`, 'x')
    writeFileSync(`${root}/a`, '')
    symlinkSync('b', `${root}/link`)
    expect([...walk(root).keys()]).toEqual(['/a', '/b', '/b/c', '/b/c/file', '/link'])
  })

  it('returns the metadata of each path', async () => {
    const root = await tempDirectory()
    writeFileSync(`${root}/file`, 'four')
    chownSync(`${root}/file`, 105, 7)
    chmodSync(`${root}/file`, 0o4754)
    linkSync(`${root}/file`, `${root}/same`)
    symlinkSync('to/nothing', `${root}/link`)
    const found = walk(root)
    expect(found.get('/file')).toMatchObject({ kind: 'file', mode: 0o4754, uid: 105, gid: 7, size: 4, target: '' })
    expect(found.get('/link')).toMatchObject({ kind: 'symlink', target: 'to/nothing' })
    expect(found.get('/same')?.inode).toBe(found.get('/file')?.inode)
  })
})
