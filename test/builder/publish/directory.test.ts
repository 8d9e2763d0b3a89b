import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { directoryRepository } from '../../../builder/publish/directory.ts'
import { textBlob } from '../../../builder/publish/store-blob.ts'
import { describeRepository } from '../../contracts/repository.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const NEVER = new AbortController().signal

describeRepository('directory', async () => {
  const directory = await tempDirectory()
  return {
    repository: directoryRepository(directory, NEVER),
    tamper: ({ digest, size }) =>
      writeFileSync(join(directory, 'blobs/sha256', digest), 'x'.repeat(size), { flag: 'r+' }),
  }
})

describe('directoryRepository', () => {
  const blob = textBlob('words', 'words')

  it('writes an OCI image layout', async () => {
    const directory = await tempDirectory()
    const repository = directoryRepository(directory, NEVER)
    await repository.put(blob, () => {})
    await repository.putManifest('adama', '{}')
    expect(readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(JSON.parse(readFileSync(join(directory, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    expect(JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'))).toMatchObject({
      schemaVersion: 2,
      manifests: [{ size: 2, annotations: { 'org.opencontainers.image.ref.name': 'adama' } }],
    })
  })

  it('keeps images of other tools', async () => {
    const directory = await tempDirectory()
    const other = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}`, size: 1, platform: { os: 'linux' } }
    writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [other] }))
    await directoryRepository(directory, NEVER).putManifest('adama', '{}')
    expect(JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')).manifests[0]).toEqual(other)
  })

  it('keeps the tags of two publishers that run at the same time', async () => {
    const repository = directoryRepository(await tempDirectory(), NEVER)
    const tags = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(tags.map((tag) => repository.putManifest(tag, `{"${tag}":1}`)))
    for (const tag of tags) expect(await repository.manifest({ tag })).toBe(`{"${tag}":1}`)
  })

  it('deletes an old temporary file of a killed run when it writes the same blob', async () => {
    const directory = await tempDirectory()
    const repository = directoryRepository(directory, NEVER)
    await repository.put(textBlob('other', 'other'), () => {})
    const [old, fresh] = ['0', 'f'].map((digit) =>
      join(directory, `blobs/sha256/.${blob.digest}.part-${digit.repeat(12)}`),
    )
    for (const file of [old, fresh]) writeFileSync(file ?? '', 'half')
    utimesSync(old ?? '', 1000, 1000)
    await repository.put(blob, () => {})
    expect(readdirSync(join(directory, 'blobs/sha256')).filter((name) => name.startsWith('.'))).toEqual([
      `.${blob.digest}.part-ffffffffffff`,
    ])
  })

  it('does not report a blob of another size as present', async () => {
    const directory = await tempDirectory()
    const repository = directoryRepository(directory, NEVER)
    await repository.put(blob, () => {})
    writeFileSync(join(directory, 'blobs/sha256', blob.digest), 'cut')
    expect(await repository.has(blob)).toBe(false)
  })

  it('refuses an index.json that it cannot read, and names the file', async () => {
    const directory = await tempDirectory()
    writeFileSync(join(directory, 'index.json'), '{"schemaVersion":1}')
    await expect(directoryRepository(directory, NEVER).manifest({ tag: 'adama' })).rejects.toMatchObject({
      message: `'${join(directory, 'index.json')}' is not the index of an OCI image layout`,
      hint: expect.stringContaining('another directory'),
    })
  })
})
