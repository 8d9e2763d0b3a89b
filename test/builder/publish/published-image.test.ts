import { describe, expect, it } from 'vitest'
import {
  ARTIFACT_TYPE,
  parsePublishedFacts,
  parsePublishedImage,
  publishedFactsText,
  publishedImageText,
} from '../../../builder/publish/published-image.ts'
import { digestOf } from '../../../images/digest.ts'

const FACTS = {
  ...{ host: 'tiny', root: digestOf('root'), slotSize: 8 << 20, built: '2026-01-02T03:04:05.000Z', revision: null },
  outputs: [
    { name: 'slot.img', size: 4096, sha256: digestOf('slot') },
    { name: 'tiny.img', size: 1 },
  ],
}
const IMAGE = {
  facts: { digest: digestOf('facts'), size: 5 },
  files: [
    { role: 'layer', name: 'base', digest: digestOf('base'), size: 4096 },
    { role: 'boot', name: 'config.txt', digest: digestOf('config'), size: 7 },
    { role: 'text', name: 'manifest.json', digest: digestOf('manifest'), size: 9 },
  ],
} as const

describe('publishedImageText', () => {
  it('writes the OCI manifest of an artifact with a media type for each kind of file', () => {
    expect(JSON.parse(publishedImageText(IMAGE))).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: ARTIFACT_TYPE,
      config: { mediaType: 'application/vnd.hangar.facts.v1+json', digest: `sha256:${digestOf('facts')}`, size: 5 },
      layers: [
        ['application/vnd.hangar.layer.v1.erofs', 'base', 4096],
        ['application/vnd.hangar.boot.v1', 'config.txt', 7],
        ['application/vnd.hangar.text.v1', 'manifest.json', 9],
      ].map(([mediaType, name, size], at) => ({
        ...{ mediaType, size, digest: `sha256:${IMAGE.files[at]?.digest}` },
        annotations: { 'org.opencontainers.image.title': name },
      })),
    })
  })

  it('publishes the same bytes each time', () => {
    const { files, facts } = IMAGE
    expect(publishedImageText({ files: files.map(({ ...each }) => each), facts })).toBe(publishedImageText(IMAGE))
    expect(digestOf(publishedImageText(IMAGE))).toMatchInlineSnapshot(
      `"cef6d2f489fe05ed0bcb23082ffa68d8875e238c86d9c5e84ec908b3696bfa86"`,
    )
  })

  it('publishedImageText is the inverse of parsePublishedImage', () => {
    expect(parsePublishedImage(publishedImageText(IMAGE), 'it')).toEqual(IMAGE)
    expect(parsePublishedFacts(publishedFactsText(FACTS), 'it')).toEqual(FACTS)
  })

  it('ignores files of an unknown kind', () => {
    const text = publishedImageText(IMAGE).replace('vnd.hangar.boot.v1', 'vnd.hangar.other.v1')
    expect(parsePublishedImage(text, 'it').files.map(({ name }) => name)).toEqual(['base', 'manifest.json'])
  })

  it.each([
    ['', 'it is not JSON'],
    ['null', 'its type is null'],
    [publishedImageText(IMAGE).replace(ARTIFACT_TYPE, 'application/other'), 'its type is "application/other"'],
    [publishedImageText(IMAGE).replace('sha256:', 'sha512:'), "field 'config.digest' is wrong"],
    [publishedImageText(IMAGE).replace('4096', '-1'), "field 'layers.0.size' is wrong"],
  ])('refuses the text %s as a published image', (text, said) => {
    expect(() => parsePublishedImage(text, "'it'")).toThrow(said)
  })

  it.each([
    ['{"format":2}', "field 'format' is wrong"],
    [publishedFactsText({ ...FACTS, slotSize: 0 }), "field 'slotSize' is wrong"],
    [publishedFactsText({ ...FACTS, built: 'yesterday' }), "field 'built' is wrong"],
    [publishedFactsText({ ...FACTS, root: 'x' as never }), "field 'root' is wrong"],
  ])('refuses the image facts %s', (text, said) => {
    expect(() => parsePublishedFacts(text, "'it'")).toThrow(said)
  })
})
