import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeTree } from '../../../../images/layers/parts/tree.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const file = (text: string, mode = 0o644) => ({ kind: 'file', mode, text, uid: 0, gid: 0 }) as const

describe('writeTree', () => {
  it('creates files, directories and links', async () => {
    const root = `${await tempDirectory()}/root`
    writeTree(root, {
      '/etc/a': { kind: 'file', mode: 0o4750, text: 'é', uid: 105, gid: 6 },
      '/etc/b': { kind: 'file', mode: 0o600, base64: Buffer.from([0, 255]).toString('base64'), uid: 0, gid: 0 },
      '/srv/data': { kind: 'directory', mode: 0o2775, uid: 1, gid: 2 },
      '/etc/link': { kind: 'symlink', target: '../srv' },
    })
    expect(readFileSync(`${root}/etc/a`, 'utf8')).toBe('é')
    expect(lstatSync(`${root}/etc/a`)).toMatchObject({ uid: 105, gid: 6, mode: 0o104750 })
    expect([...readFileSync(`${root}/etc/b`)]).toEqual([0, 255])
    expect(lstatSync(`${root}/srv/data`)).toMatchObject({ uid: 1, gid: 2, mode: 0o042775 })
    expect(readlinkSync(`${root}/etc/link`)).toBe('../srv')
  })

  it('replaces existing files, and does not write through links', async () => {
    const root = await tempDirectory()
    mkdirSync(`${root}/etc`)
    writeFileSync(`${root}/etc/target`, 'kept')
    symlinkSync('target', `${root}/etc/conf`)
    symlinkSync('nowhere', `${root}/etc/broken`)
    writeTree(root, { '/etc/conf': file('new'), '/etc/broken': file('new too') })
    expect(readFileSync(`${root}/etc/target`, 'utf8')).toBe('kept')
    expect(lstatSync(`${root}/etc/conf`).isFile()).toBe(true)
    expect(readFileSync(`${root}/etc/broken`, 'utf8')).toBe('new too')
  })
})
