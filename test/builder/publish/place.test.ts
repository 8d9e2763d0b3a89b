import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parsePlace, placeText } from '../../../builder/publish/place.ts'
import { digestOf } from '../../../images/digest.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const DIGEST = digestOf('image')

describe('a place', () => {
  it.each([
    ['oci://registry.lab/hangar', 'registry.lab', 'hangar', undefined],
    ['oci://registry.lab:5000/lab/hangar', 'registry.lab:5000', 'lab/hangar', undefined],
    ['oci://127.0.0.1:5000/hangar:stable', '127.0.0.1:5000', 'hangar', { tag: 'stable' }],
    ['oci://[::1]:5000/hangar:adama-0123', '[::1]:5000', 'hangar', { tag: 'adama-0123' }],
    [`oci://registry.lab/a/b__c/d-e@sha256:${DIGEST}`, 'registry.lab', 'a/b__c/d-e', { digest: DIGEST }],
  ])('%s is a repository of a registry', (text, registry, name, reference) => {
    expect(parsePlace(text)).toEqual({ place: { kind: 'registry', registry, name }, reference })
  })

  it.each([
    ['/media/stick', '/media/stick', undefined],
    ['/media/stick:stable', '/media/stick', { tag: 'stable' }],
    ['/media/a:b/images', '/media/a:b/images', undefined],
    [`/media/stick@sha256:${DIGEST}`, '/media/stick', { digest: DIGEST }],
    ['images', join(process.cwd(), 'images'), undefined],
  ])('%s is a directory', (text, directory, reference) => {
    expect(parsePlace(text)).toEqual({ place: { kind: 'directory', directory }, reference })
  })

  it('that is a directory whose name has a colon is that directory', async () => {
    const directory = join(await tempDirectory(), 'a:b')
    expect(parsePlace(directory).reference).toEqual({ tag: 'b' })
    mkdirSync(directory)
    expect(parsePlace(directory)).toEqual({ place: { kind: 'directory', directory }, reference: undefined })
  })

  it.each([
    ...['', 'oci://', 'oci://registry.lab', 'oci://registry.lab/', 'oci:///hangar', 'oci://registry.lab/Hangar'],
    ...['oci://registry.lab/a//b', 'oci://registry.lab/../x', 'oci://registry.lab/hangar:', 'oci://x?y/hangar'],
    ...['https://registry.lab/hangar', 'docker://registry.lab/hangar', 'oci://registry.lab/hangar:a b'],
  ])('is not %j', (text) => {
    expect(() => parsePlace(text)).toThrow(`cannot publish to or pull from '${text}'`)
  })

  it('has no password in it: it would be for everybody to read, and it is not said again', () => {
    const given = 'oci://me:hunter2@registry.lab/hangar'
    expect(() => parsePlace(given)).toThrow('a registry is given with a name or a password in it')
    expect(() => parsePlace(given)).not.toThrow(/hunter2/)
  })

  it('is shown as it was typed', () => {
    for (const text of ['oci://registry.lab:5000/lab/hangar', '/media/stick']) {
      expect(placeText(parsePlace(text).place)).toBe(text)
    }
  })
})
