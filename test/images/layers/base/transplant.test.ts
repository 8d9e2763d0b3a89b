import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, it } from 'vitest'
import { transplant } from '../../../../images/layers/base/transplant.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function twoRoots(): Promise<{ from: string; to: string }> {
  const directory = await tempDirectory()
  const [from, to] = [`${directory}/from`, `${directory}/to`]
  for (const root of [from, to]) mkdirSync(`${root}/etc`, { recursive: true })
  return { from, to }
}

describe('transplant', () => {
  it('copies new files with content, mode, owner and links, and no other files', async () => {
    const { from, to } = await twoRoots()
    mkdirSync(`${from}/etc/made dir`)
    chmodSync(`${from}/etc/made dir`, 0o2750)
    writeFileSync(`${from}/etc/made dir/file`, 'new')
    chownSync(`${from}/etc/made dir/file`, 105, 106)
    chmodSync(`${from}/etc/made dir/file`, 0o4750)
    symlinkSync('made dir', `${from}/etc/link`)
    writeFileSync(`${from}/etc/shipped`, "the builder's")
    writeFileSync(`${to}/etc/shipped`, "the target's")
    await transplant(
      { made: ['/etc/link', '/etc/made dir', '/etc/made dir/file'], retouched: [], deleted: [] },
      from,
      to,
    )
    expect(readFileSync(`${to}/etc/made dir/file`, 'utf8')).toBe('new')
    expect(lstatSync(`${to}/etc/made dir/file`)).toMatchObject({ uid: 105, gid: 106, mode: 0o104750 })
    expect(lstatSync(`${to}/etc/made dir`).mode).toBe(0o042750)
    expect(readlinkSync(`${to}/etc/link`)).toBe('made dir')
    expect(readFileSync(`${to}/etc/shipped`, 'utf8')).toBe("the target's")
  })

  it('removes deleted directories with all their content', async () => {
    const { from, to } = await twoRoots()
    mkdirSync(`${to}/etc/gone/below`, { recursive: true })
    await transplant({ made: [], retouched: [], deleted: ['/etc/gone', '/etc/never-there'] }, from, to)
    expect(existsSync(`${to}/etc/gone`)).toBe(false)
  })

  it('replaces a link by a file instead of writing through the link', async () => {
    const { from, to } = await twoRoots()
    writeFileSync(`${from}/etc/conf`, 'made')
    writeFileSync(`${to}/etc/other`, 'kept')
    symlinkSync('other', `${to}/etc/conf`)
    await transplant({ made: ['/etc/conf'], retouched: [], deleted: [] }, from, to)
    expect(lstatSync(`${to}/etc/conf`).isFile()).toBe(true)
    expect(readFileSync(`${to}/etc/other`, 'utf8')).toBe('kept')
  })

  it('refuses a new mode for a file that the target’s packages do not ship', async () => {
    const { from, to } = await twoRoots()
    writeFileSync(`${from}/etc/only-here`, '')
    await expect(transplant({ made: [], retouched: ['/etc/only-here'], deleted: [] }, from, to)).rejects.toThrow(
      "maintainer scripts change the mode of '/etc/only-here', which the target's packages do not ship",
    )
  })
})
