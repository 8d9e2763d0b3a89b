import { describe, expect, it } from 'vitest'
import { digestOf } from '../../images/digest.ts'
import { type Manifest, manifestText, parseManifest } from '../../images/manifest.ts'

const MANIFEST: Manifest = {
  format: 1,
  host: 'adama',
  board: 'raspberry-pi-5',
  layout: 1,
  serial: { time: 1795227046, number: 1 },
  signature: 'signed',
  keys: { signing: ['ssh-ed25519 AAAA signing'], ssh: [] },
  slot: {
    size: 16384,
    sha256: digestOf('slot'),
    dataBlocks: 3,
    root: digestOf('root'),
    layers: [
      { name: 'base', offset: 4096, size: 4096, sha256: digestOf('base') },
      { name: 'host', offset: 8192, size: 4096, sha256: digestOf('host') },
    ],
  },
  boot: {
    'kernel_2712.img': { size: 2, sha256: digestOf('kernel') },
    'config.txt': { size: 1, sha256: digestOf('config') },
  },
  versions: { systemd: '257', podman: '5.4' },
}

const TEXT = `{
  "board": "raspberry-pi-5",
  "boot": {
    "config.txt": {"sha256":"${digestOf('config')}","size":1},
    "kernel_2712.img": {"sha256":"${digestOf('kernel')}","size":2}
  },
  "format": 1,
  "host": "adama",
  "keys": {
    "signing": ["ssh-ed25519 AAAA signing"],
    "ssh": []
  },
  "layout": 1,
  "serial": {"number":1,"time":1795227046},
  "signature": "signed",
  "slot": {
    "dataBlocks": 3,
    "layers": [
      {"name":"base","offset":4096,"sha256":"${digestOf('base')}","size":4096},
      {"name":"host","offset":8192,"sha256":"${digestOf('host')}","size":4096}
    ],
    "root": "${digestOf('root')}",
    "sha256": "${digestOf('slot')}",
    "size": 16384
  },
  "versions": {
    "podman": "5.4",
    "systemd": "257"
  }
}
`

describe('the manifest', () => {
  it('the manifest has sorted keys, and one line for each layer and each file', () => {
    expect(manifestText(MANIFEST)).toBe(TEXT)
  })

  it('the manifest is the same after writing and parsing', () => {
    expect(parseManifest(TEXT, 'manifest.json')).toEqual(MANIFEST)
  })

  it.each([
    ['another format', TEXT.replace('"format": 1', '"format": 2'), 'has format 2, this hangar reads format 1'],
    ['no format', '{}', 'has format undefined, this hangar reads format 1'],
    ['the content null', 'null', 'has format undefined, this hangar reads format 1'],
  ])('refuses a manifest with %s', (_what, text, reason) => {
    expectRefusal(text, `manifest 'out/manifest.json' ${reason}`)
  })

  it.each([
    ['an unknown member', TEXT.replace('"host"', '"guest"'), "is damaged at 'host': "],
    ['an invalid digest', TEXT.replace(digestOf('root'), 'f00'), "is damaged at 'slot.root': expected 64 hexadecimal"],
    ['a negative size', TEXT.replace('16384', '-1'), "is damaged at 'slot.size': "],
    ['an unknown value of signature', TEXT.replace('"signed"', '"maybe"'), "is damaged at 'signature': "],
    ['only a part of its text', TEXT.slice(0, 300), 'is not JSON: '],
  ])('refuses a manifest with %s, and the error names the position', (_what, text, reason) => {
    expectRefusal(text, `manifest 'out/manifest.json' ${reason}`)
  })
})

function expectRefusal(text: string, message: string): void {
  expect(() => parseManifest(text, 'out/manifest.json')).toThrow(
    expect.objectContaining({
      code: 'format',
      message: expect.stringContaining(message),
      hint: 'build the image again: npm run build:image HOST',
    }),
  )
}
