import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { capture, inPairs } from './exec.ts'

/** What apt is told that the packages belong to: mmdebstrap asks for essential packages by code name. */
const CODENAME = 'trixie'

/** Makes an apt repository of packages in one directory, without copying them. */
export async function writeRepository(directory: string, debs: string, names: readonly string[]): Promise<void> {
  mkdirSync(directory, { recursive: true })
  symlinkSync(debs, `${directory}/debs`)
  const paragraphs = await inPairs(names, (name) => paragraph(debs, name))
  const index = `${paragraphs.join('\n\n')}\n`
  writeFileSync(`${directory}/Packages`, index)
  writeFileSync(`${directory}/Release`, release(index))
}

async function paragraph(debs: string, name: string): Promise<string> {
  const control = await capture('dpkg-deb', ['-f', `${debs}/${name}`])
  const content = readFileSync(`${debs}/${name}`)
  const digest = createHash('sha256').update(content).digest('hex')
  return `${control.trimEnd()}\nFilename: debs/${name}\nSize: ${content.length}\nSHA256: ${digest}`
}

function release(index: string): string {
  const digest = createHash('sha256').update(index).digest('hex')
  return `Codename: ${CODENAME}\nSuite: ${CODENAME}\nDate: Thu, 01 Jan 1970 00:00:00 UTC\nSHA256:\n ${digest} ${Buffer.byteLength(index)} Packages\n`
}
