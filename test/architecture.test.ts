import { describe, expect, it } from 'vitest'
import { violations } from './helpers/architecture.ts'
import { importsOf, sourceFiles } from './helpers/source-files.ts'
import { PROJECT } from './helpers/toolchain.ts'

describe('the project', () => {
  const files = sourceFiles(PROJECT)

  it('keeps the rules of the house', () => {
    expect(violations(files)).toEqual([])
  })

  it('is read whole', () => {
    const paths = files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['main.ts', 'cli/bundle.mjs', 'test/architecture.test.ts']))
    const imports = files.flatMap(importsOf)
    expect(imports).toContainEqual({ from: 'lib/subprocess.ts', to: 'execa', kind: 'value' })
    expect(imports).toContainEqual({ from: 'overlays/service.ts', to: 'zod', kind: 'type' })
    // Over several lines.
    expect(imports).toContainEqual({
      ...{ from: 'builder/keys/owner-keys.ts', kind: 'value' },
      to: 'images/signature/openssh-key.ts',
    })
  })

  it('imports no file that is not there', () => {
    const paths = new Set(files.map(({ path }) => path))
    const ours = files.filter(({ path }) => !path.startsWith('test/')).flatMap(importsOf)
    expect(ours.filter(({ to }) => to.endsWith('.ts') && !paths.has(to))).toEqual([])
  })
})

const importing = (path: string, ...imported: string[]) => ({
  path,
  text: imported.map((to) => `import { x } from '${to}'\n`).join(''),
})

describe('a breach is found:', () => {
  it.each([
    ['images/a.ts', '../overlays/b.ts', 'overlays/b.ts'],
    ['images/a.ts', './layers/base/step.ts', 'images/layers/base/step.ts'],
    ['images/a.ts', './layers/parts/b.ts', 'images/layers/parts/b.ts'],
    ['images/layers/base/step.ts', '../../../errors.ts', 'errors.ts'],
    ['overlays/a.ts', '../hosts/host.ts', 'hosts/host.ts'],
    ['overlays/services/x/service.ts', '../../../builder/b.ts', 'builder/b.ts'],
    ['hosts/a.ts', '../builder/b.ts', 'builder/b.ts'],
    ['builder/a.ts', '../flash/b.ts', 'flash/b.ts'],
    ['builder/a.ts', '../hosts/b.ts', 'hosts/b.ts'],
    ['builder/a.ts', '../overlays/b.ts', 'overlays/b.ts'],
    ['flash/vm/a.ts', '../../builder/b.ts', 'builder/b.ts'],
    ['flash/a.ts', '../hosts/b.ts', 'hosts/b.ts'],
    ['flash/a.ts', '../overlays/b.ts', 'overlays/b.ts'],
    ['main.ts', './test/helpers/b.ts', 'test/helpers/b.ts'],
    ['errors.ts', './images/b.ts', 'images/b.ts'],
  ])('%s imports %s', (path, imported, to) => {
    expect(violations([importing(path, imported)])).toEqual([`${path} must not import ${to}`])
  })

  it.each([
    ["import type { X } from '../hosts/b.ts'\n"],
    ["export type { X } from '../hosts/b.ts'\n"],
    ["import '../hosts/b.ts'\n"],
    ["import {\n  a,\n  type B,\n} from '../hosts/b.ts'\n"],
    ["const { a } = await import('../hosts/b.ts')\n"],
  ])('written as %j', (text) => {
    expect(violations([{ path: 'flash/a.ts', text }])).toContain('flash/a.ts must not import hosts/b.ts')
  })

  it.each([
    ['builder/store/a.ts', 'execa', "'execa'; who may: lib/subprocess.ts"],
    ['flash/a.ts', 'zod', "'zod'; who may: hosts/, images/"],
    ['main.ts', 'left-pad', "'left-pad'; who may: nobody"],
    ['images/a.ts', '@scope/name', "'@scope/name'; who may: nobody"],
  ])('%s imports the package %s', (path, name, said) => {
    const [first, ...others] = violations([importing(path, name)])
    expect(first).toContain(`${path} must not import the package ${said}`)
    expect(others).toEqual([])
  })

  it.each([
    ['images/a.ts', "import { x } from 'node:fs'\n", 'images/a.ts is pure and must not import node:fs'],
    [
      'overlays/base/a.ts',
      "import { x } from 'node:path'\n",
      'overlays/base/a.ts is pure and must not import node:path',
    ],
    ['images/a.ts', 'export const now = () => Date.now()\n', "images/a.ts is pure and must not use 'Date.now'"],
    ['overlays/a.ts', 'export const home = process.env.HOME\n', "overlays/a.ts is pure and must not use 'process.env'"],
  ])('%s has an effect: %j', (path, text, said) => {
    expect(violations([{ path, text }])).toEqual([said])
  })

  it('a step takes a package along by way of another file', () => {
    const tree = [importing('images/layers/base/step.ts', '../../b.ts'), importing('images/b.ts', './lock.ts')]
    const schema = importing('images/lock.ts', 'zod')
    expect(violations([...tree, schema])).toEqual(["a step takes the package 'zod' along"])
    expect(violations([...tree, { path: 'images/lock.ts', text: "import type { z } from 'zod'\n" }])).toEqual([])
  })

  it('files import one another in a circle', () => {
    const circle = [importing('images/a.ts', './b.ts'), importing('images/b.ts', './c.ts')]
    expect(violations([...circle, importing('images/c.ts', './a.ts')])).toHaveLength(3)
    expect(violations([...circle, importing('images/c.ts')])).toEqual([])
  })

  it.each([["export { x } from './b.ts'\n"], ["export * from './b.ts'\n"]])('a file only passes on: %j', (text) => {
    expect(violations([{ path: 'flash/a.ts', text }])).toEqual(['flash/a.ts re-exports'])
  })

  it('a file is too long', () => {
    const lines = (count: number) => [{ path: 'flash/a.ts', text: '\n'.repeat(count) }]
    expect(violations(lines(300))).toEqual([])
    expect(violations(lines(301))).toEqual(['flash/a.ts has 301 lines, at most 300 are wanted'])
  })

  it('a file is named after nothing', () => {
    expect(violations([importing('builder/utils.ts')])).toEqual(['builder/utils.ts is named after nothing'])
  })
})

describe('what is allowed', () => {
  it.each([
    ['images/a.ts', 'node:crypto'],
    ['images/layers/base/step.ts', 'node:fs'],
    ['builder/a.ts', 'node:fs'],
    ['hosts/a.ts', '../overlays/b.ts'],
    ['main.ts', './flash/b.ts'],
    ['test/a.test.ts', '../builder/b.ts'],
    ['test/a.test.ts', 'vitest'],
  ])('%s imports %s', (path, imported) => {
    expect(violations([importing(path, imported)])).toEqual([])
  })
})
