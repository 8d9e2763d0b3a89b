import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { publishedImageText } from '../../builder/publish/published-image.ts'
import type { LocalBlob, Repository } from '../../builder/publish/repository.ts'
import { textBlob } from '../../builder/publish/store-blob.ts'
import { digestOf } from '../../images/digest.ts'
import { tempDirectory } from '../helpers/temp.ts'

export interface RepositoryUnderTest {
  readonly repository: Repository
  /** Overwrites a blob, as the owner of the repository can. */
  tamper(blob: LocalBlob): void
}

const BLOB = textBlob('words', 'what was meant '.repeat(40_000))
const FACTS = textBlob('facts', '{"some":"facts"}')
const IMAGE = publishedImageText({ facts: FACTS, files: [{ role: 'layer', ...BLOB }] })

/** The behaviour of every remote repository. */
export function describeRepository(name: string, make: () => Promise<RepositoryUnderTest>): void {
  const filled = async () => {
    const made = await make()
    for (const blob of [BLOB, FACTS]) await made.repository.put(blob, () => {})
    return made
  }
  const fetched = async (repository: Repository, blob: LocalBlob = BLOB) => {
    const file = join(await tempDirectory(), 'file')
    let bytes = 0
    await repository.fetch(blob, file, (more) => {
      bytes += more
    })
    expect(bytes).toBe(blob.size)
    return readFileSync(file, 'utf8')
  }

  describe(`a ${name}`, () => {
    it('finds a blob only after a caller stored it', async () => {
      const { repository } = await make()
      expect(await repository.has(BLOB)).toBe(false)
      let bytes = 0
      await repository.put(BLOB, (more) => {
        bytes += more
      })
      expect(bytes).toBe(BLOB.size)
      expect([await repository.has(BLOB), await repository.has(FACTS)]).toEqual([true, false])
    })

    it('returns a blob byte by byte', async () => {
      const { repository } = await filled()
      expect(digestOf(await fetched(repository))).toBe(BLOB.digest)
    })

    it('returns an OCI manifest by its tag and by its digest', async () => {
      const { repository } = await filled()
      expect(await repository.manifest({ tag: 'adama' })).toBeUndefined()
      await repository.putManifest('adama', IMAGE)
      expect(await repository.manifest({ tag: 'adama' })).toBe(IMAGE)
      expect(await repository.manifest({ digest: digestOf(IMAGE) })).toBe(IMAGE)
      expect(await repository.manifest({ tag: 'other' })).toBeUndefined()
      expect(await repository.manifest({ digest: digestOf('other') })).toBeUndefined()
    })

    it('moves a tag without changing other tags', async () => {
      const { repository } = await filled()
      const next = publishedImageText({ facts: FACTS, files: [] })
      for (const [tag, text] of [
        ['first', IMAGE],
        ['adama', IMAGE],
        ['adama', next],
      ] as const) {
        await repository.putManifest(tag, text)
      }
      expect(await repository.manifest({ tag: 'adama' })).toBe(next)
      expect(await repository.manifest({ tag: 'first' })).toBe(IMAGE)
    })

    it('accepts a blob and an OCI manifest that it already has', async () => {
      const { repository } = await filled()
      await repository.put(BLOB, () => {})
      for (let count = 0; count < 2; count += 1) await repository.putManifest('adama', IMAGE)
      expect(digestOf(await fetched(repository))).toBe(BLOB.digest)
      expect(await repository.manifest({ tag: 'adama' })).toBe(IMAGE)
    })

    it('rejects a stored blob whose bytes do not match its digest', async () => {
      const made = await filled()
      made.tamper(BLOB)
      await expect(fetched(made.repository)).rejects.toMatchObject({
        name: 'UserError',
        code: 'digest',
        hint: expect.stringContaining('publish'),
      })
    })

    it('rejects a request for a missing blob', async () => {
      const { repository } = await make()
      await expect(fetched(repository)).rejects.toMatchObject({ name: 'UserError' })
    })

    it('refuses to store a blob whose bytes do not match its digest', async () => {
      const { repository } = await make()
      const wrong = { ...BLOB, digest: digestOf('other') }
      await expect(repository.put(wrong, () => {})).rejects.toMatchObject({ name: 'UserError' })
      expect(await repository.has(wrong)).toBe(false)
    })

    it('keeps no part of an interrupted transfer, and accepts the blob afterwards', async () => {
      const { repository } = await make()
      const broken: LocalBlob = {
        ...BLOB,
        async *read() {
          yield Buffer.from('a beginning')
          throw new Error('the disk is gone')
        },
      }
      await expect(repository.put(broken, () => {})).rejects.toThrow('the disk is gone')
      expect(await repository.has(BLOB)).toBe(false)
      await repository.put(BLOB, () => {})
      expect(digestOf(await fetched(repository))).toBe(BLOB.digest)
    })
  })
}

/** Returns the path. Throws if the file does not exist. */
export function existing(file: string): string {
  if (!existsSync(file)) throw new Error(`'${file}' is not there`)
  return file
}
