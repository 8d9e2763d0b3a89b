import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseRemote, remoteText } from '../../../builder/publish/remote.ts'
import { digestOf } from '../../../images/digest.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const DIGEST = digestOf('image')

describe('parseRemote', () => {
  it.each([
    ['oci://registry.lab/hangar', 'registry.lab', 'hangar', undefined],
    ['oci://registry.lab:5000/lab/hangar', 'registry.lab:5000', 'lab/hangar', undefined],
    ['oci://127.0.0.1:5000/hangar:stable', '127.0.0.1:5000', 'hangar', { tag: 'stable' }],
    ['oci://[::1]:5000/hangar:adama-0123', '[::1]:5000', 'hangar', { tag: 'adama-0123' }],
    ['oci://[fd00::5]/hangar', '[fd00::5]', 'hangar', undefined],
    [`oci://registry.lab/a/b__c/d-e@sha256:${DIGEST}`, 'registry.lab', 'a/b__c/d-e', { digest: DIGEST }],
  ])('reads %s as a repository in a registry', (text, registry, name, reference) => {
    expect(parseRemote(text)).toEqual({ remote: { kind: 'registry', registry, name }, reference })
  })

  it.each([
    ['/media/stick', '/media/stick', undefined],
    ['/media/stick:stable', '/media/stick', { tag: 'stable' }],
    ['/media/a:b/images', '/media/a:b/images', undefined],
    [`/media/stick@sha256:${DIGEST}`, '/media/stick', { digest: DIGEST }],
    ['images', join(process.cwd(), 'images'), undefined],
  ])('reads the remote %s as a directory', (text, directory, reference) => {
    expect(parseRemote(text)).toEqual({ remote: { kind: 'directory', directory }, reference })
  })

  it('accepts an existing directory whose name contains a colon', async () => {
    const directory = join(await tempDirectory(), 'a:b')
    expect(parseRemote(directory).reference).toEqual({ tag: 'b' })
    mkdirSync(directory)
    expect(parseRemote(directory)).toEqual({ remote: { kind: 'directory', directory }, reference: undefined })
  })

  it.each([
    ...['', 'oci://', 'oci://registry.lab', 'oci://registry.lab/', 'oci:///hangar', 'oci://registry.lab/Hangar'],
    ...['oci://registry.lab/a//b', 'oci://registry.lab/../x', 'oci://registry.lab/hangar:', 'oci://x?y/hangar'],
    ...['oci://[fd00:::5]/hangar', 'oci://[fd00::5]:99999/hangar', 'oci://fd00::5/hangar', 'oci://10.0.0.300/hangar'],
    ...['oci://[fe80::1%eth0]/hangar', 'oci://registry.lab:70000/hangar'],
    ...['https://registry.lab/hangar', 'docker://registry.lab/hangar', 'oci://registry.lab/hangar:a b'],
  ])('refuses the remote repository %j', (text) => {
    expect(() => parseRemote(text)).toThrow(`'${text}' is not a remote repository`)
  })

  it('refuses an address with a password, and does not print the password', () => {
    const given = 'oci://me:hunter2@registry.lab/hangar'
    expect(() => parseRemote(given)).toThrow('the address of the registry contains a user name or a password')
    expect(() => parseRemote(given)).not.toThrow(/hunter2/)
  })

  it('parseRemote is the inverse of remoteText', () => {
    for (const text of ['oci://registry.lab:5000/lab/hangar', '/media/stick']) {
      expect(remoteText(parseRemote(text).remote)).toBe(text)
    }
  })
})
