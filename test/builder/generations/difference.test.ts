import { describe, expect, it } from 'vitest'
import { type Contents, differenceOf } from '../../../builder/generations/difference.ts'
import { differenceText } from '../../../cli/text/difference.ts'
import { digestOf } from '../../../images/digest.ts'
import type { LayerFile } from '../../../images/layers/layer-files/recipe.ts'

const file = (path: string, given: Partial<LayerFile> = {}): LayerFile => ({
  ...{ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, size: 1500, sha256: 'a' },
  ...given,
})

const named = <T>(value: Record<string, Record<string, T>>) =>
  new Map(Object.entries(value).map(([where, each]) => [where, new Map(Object.entries(each))]))

const listing = (...files: LayerFile[]) => new Map(files.map((each) => [each.path, each]))

function contents(number: number, given: Partial<Contents> = {}): Contents {
  return {
    ...{ number, root: digestOf(`${number}`), built: '2026-11-25T08:00:00.000Z', revision: `${'c'.repeat(40)}-dirty` },
    ...{ packages: named({ base: { libc6: '2.41-12' } }), programs: named({ build: { nodejs: '20.1' } }) },
    ...{ files: new Map(), texts: named<string>({}), containers: new Map(), sizes: new Map(), ...given },
  }
}

const text = (from: Partial<Contents>, to: Partial<Contents>) =>
  differenceText('tiny', differenceOf(contents(1, from), contents(2, to)))

const HEAD = `tiny: generation 1 (${digestOf('1').slice(0, 12)}, 2026-11-25 08:00, cccccccccccc-dirty) -> generation 2 (${digestOf('2').slice(0, 12)}, 2026-11-25 08:00, cccccccccccc-dirty)`

describe('differenceOf', () => {
  it('reports nothing for equal contents', () => {
    expect(text({}, {})).toBe(`${HEAD}\nno difference`)
  })

  it('reports packages by derivation', () => {
    const said = text(
      { packages: named({ base: { libc6: '2.41-12', old: '1' }, 'container-app': { libc6: '2.41-12' } }) },
      { packages: named({ base: { libc6: '2.41-13', fresh: '2' }, 'container-app': { libc6: '2.41-12' } }) },
    )
    expect(said).toBe(
      `${HEAD}\n\npackages\n  base  fresh  new 2\n  base  libc6  2.41-12 -> 2.41-13\n  base  old    1 dropped`,
    )
  })

  it('reports changed build programs, and the text counts them', () => {
    const moved = { programs: named({ build: { nodejs: '20.2' } }) }
    expect(text({}, moved)).toBe(`${HEAD}\n\npackages\n  1 build programs changed`)
  })

  it('reports unknown packages for an image that was built elsewhere', () => {
    const { packages, programs } = differenceOf(contents(1, { packages: null, programs: null }), contents(2))
    expect([packages, programs]).toEqual([null, null])
    expect(text({ packages: null }, {})).toContain(
      'packages\n  unknown: one of the generations was built on another machine',
    )
  })

  it('reports changed files, with the changed attribute of each', () => {
    const before = [file('/gone'), file('/same'), file('/content'), file('/mode'), file('/owner')]
    const after = [
      file('/came', { size: 2_000_000 }),
      file('/same'),
      file('/content', { sha256: 'b' }),
      file('/mode', { mode: 0o755 }),
      file('/owner', { uid: 108 }),
    ]
    const links = (target: string) => file('/link', { kind: 'symlink', target })
    const kind = (each: 'file' | 'directory') => file('/kind', { kind: each })
    const said = text(
      { files: new Map([['base', listing(...before, links('old'), kind('file'))]]) },
      { files: new Map([['base', listing(...after, links('new'), kind('directory'))]]) },
    )
    expect(said.split('\n').slice(2)).toEqual([
      'files',
      '  base: 1 added, 1 removed, 5 changed',
      '    + /came  2.0 MB',
      '    ~ /content  1.5 kB',
      '    - /gone',
      '    ~ /kind  file -> directory',
      '    ~ /link  old -> new',
      '    ~ /mode  0644 0:0 -> 0755 0:0',
      '    ~ /owner  0644 0:0 -> 0644 108:0',
    ])
  })

  it('reports every file, but the text lists at most twenty files of a layer', () => {
    const many = Array.from({ length: 30 }, (_, at) => file(`/file-${at}`))
    const [from, to] = [{ files: new Map([['base', listing()]]) }, { files: new Map([['base', listing(...many)]]) }]
    expect(text(from, to)).toContain('base: 30 added\n')
    expect(text(from, to)).toMatch(/ {4}and 10 more; to list all: --json$/)
    expect(differenceOf(contents(1, from), contents(2, to)).files).toHaveLength(30)
  })

  it('reports changed configuration line by line', () => {
    const said = text(
      {
        texts: named({
          host: { '/etc/app.conf': 'a = 1\nb = 2\n', '/etc/same': 'x\n' },
          boot: { '/config.txt': 'old\n' },
        }),
      },
      { texts: named({ host: { '/etc/app.conf': 'a = 1\nb = 3\n', '/etc/same': 'x\n', '/etc/new': 'y\n' } }) },
    )
    expect(said.split('\n').slice(2)).toEqual([
      'configuration',
      ...['  in boot:', '    --- a/config.txt', '    +++ /dev/null', '    @@ -1,1 +0,0 @@', '    -old'],
      ...[
        '  in host:',
        '    --- a/etc/app.conf',
        '    +++ b/etc/app.conf',
        '    @@ -1,2 +1,2 @@',
        '     a = 1',
        '    -b = 2',
        '    +b = 3',
      ],
      ...['  in host:', '    --- /dev/null', '    +++ b/etc/new', '    @@ -0,0 +1,1 @@', '    +y'],
    ])
  })

  it('reports an added or removed container without its files', () => {
    const given = {
      containers: new Map([['app', '1']]),
      packages: named({ 'container-app': { app: '1' } }),
      files: new Map([['container-app', listing(file('/app'))]]),
      texts: named({ 'container-app': { '/etc/app.conf': 'a\n' } }),
    }
    const none = { packages: named<string>({}) }
    expect(text(given, none)).toBe(`${HEAD}\n\ncontainers\n  removed  app`)
    expect(text(none, given)).toBe(`${HEAD}\n\ncontainers\n  added    app`)
    const { packages, files, configuration } = differenceOf(contents(1, given), contents(2, none))
    expect([packages?.length, files.length, configuration.length]).toEqual([1, 1, 1])
  })

  it('reports changed containers and sizes', () => {
    const said = text(
      {
        containers: new Map([
          ['app', '1'],
          ['old', '1'],
          ['same', '1'],
        ]),
        sizes: new Map([
          ['layer base', 5_000_000],
          ['slot.img', 9_000_000],
        ]),
      },
      {
        containers: new Map([
          ['app', '2'],
          ['same', '1'],
          ['fresh', '1'],
        ]),
        sizes: new Map([
          ['layer base', 4_000_000],
          ['layer fresh', 1000],
          ['slot.img', 9_000_000],
        ]),
      },
    )
    expect(said.split('\n').slice(2)).toEqual([
      ...['containers', '  changed  app', '  added    fresh', '  removed  old', ''],
      ...['sizes', '  layer base   5.0 MB  ->  4.0 MB  -1.0 MB', '  layer fresh  none    ->  1.0 kB  +1.0 kB'],
    ])
  })
})
