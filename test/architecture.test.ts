import { describe, expect, it } from 'vitest'
import { violations } from './helpers/architecture.ts'
import { importsOf, sourceFiles } from './helpers/source-files.ts'
import { PROJECT } from './helpers/toolchain.ts'

describe('the project', () => {
  const files = sourceFiles(PROJECT)

  it('the project keeps the architecture rules', () => {
    expect(violations(files)).toEqual([])
  })

  it('the check reads the whole project, with type, value and lazy imports', () => {
    const paths = files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['main.ts', 'cli/bundle.mjs', 'test/architecture.test.ts']))
    const imports = files.flatMap(importsOf)
    expect(imports).toContainEqual({ from: 'lib/subprocess.ts', to: 'execa', kind: 'lazy' })
    expect(imports).toContainEqual({ from: 'overlays/service.ts', to: 'zod', kind: 'type' })
    // An import over several lines.
    expect(imports).toContainEqual({
      ...{ from: 'builder/keys/owner-keys.ts', kind: 'value' },
      to: 'images/signature/openssh-key.ts',
    })
  })

  it('every import of the project names a file that exists', () => {
    const paths = new Set(files.map(({ path }) => path))
    const own = files.filter(({ path }) => !path.startsWith('test/')).flatMap(importsOf)
    expect(own.filter(({ to }) => to.endsWith('.ts') && !paths.has(to))).toEqual([])
  })
})

const importing = (path: string, ...imported: string[]) => ({
  path,
  text: imported.map((to) => `import { x } from '${to}'\n`).join(''),
})

describe('a violation', () => {
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
    ['main.ts', './builder/b.ts', 'builder/b.ts'],
    ['main.ts', './hosts/schema/b.ts', 'hosts/schema/b.ts'],
    ['cli/a.ts', '../test/helpers/b.ts', 'test/helpers/b.ts'],
    ['lib/a.ts', '../builder/b.ts', 'builder/b.ts'],
    ['errors.ts', './images/b.ts', 'images/b.ts'],
  ])('the check reports %s that imports %s', (path, imported, to) => {
    expect(violations([importing(path, imported)])).toEqual([`${path} must not import ${to}`])
  })

  it.each([
    ["import type { X } from '../hosts/b.ts'\n"],
    ["export type { X } from '../hosts/b.ts'\n"],
    ["import '../hosts/b.ts'\n"],
    ["import {\n  a,\n  type B,\n} from '../hosts/b.ts'\n"],
    ["const { a } = await import('../hosts/b.ts')\n"],
  ])('the check reports a forbidden import in the form %j', (text) => {
    expect(violations([{ path: 'flash/a.ts', text }])).toContain('flash/a.ts must not import hosts/b.ts')
  })

  it.each([
    ['builder/store/a.ts', 'execa', "'execa'; allowed: lib/subprocess.ts"],
    ['flash/a.ts', 'zod', "'zod'; allowed: hosts/platforms/, hosts/schema/, images/"],
    ['cli/a.ts', 'commander', "'commander'; allowed: cli/program.ts"],
    ['cli/a.ts', 'left-pad', "'left-pad'; allowed: no file"],
    ['images/a.ts', '@scope/name', "'@scope/name'; allowed: no file"],
  ])('the check reports %s that imports the package %s', (path, name, message) => {
    const [first, ...others] = violations([importing(path, name)])
    expect(first).toContain(`${path} must not import the package ${message}`)
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
  ])('the check reports %s that has an effect: %j', (path, text, message) => {
    expect(violations([{ path, text }])).toEqual([message])
  })

  it('the check reports a step that imports a package through another file', () => {
    const tree = [importing('images/layers/base/step.ts', '../../b.ts'), importing('images/b.ts', './lock.ts')]
    const schema = importing('images/lock.ts', 'zod')
    expect(violations([...tree, schema])).toEqual([
      "a step must not import the package 'zod', directly or through another file",
    ])
    expect(violations([...tree, { path: 'images/lock.ts', text: "import type { z } from 'zod'\n" }])).toEqual([])
  })

  it('the check reports a start of hangar that loads a use case or a package', () => {
    const command = (text: string) => [importing('main.ts', './cli/a.ts'), { path: 'cli/a.ts', text }]
    const useCase = importing('builder/b.ts', '../lib/c.ts')
    const load = "every start of hangar loads 'builder/b.ts'; import it when a command runs"
    expect(violations([...command("import { b } from '../builder/b.ts'\n"), useCase])).toEqual([load])
    expect(violations([...command("const b = () => import('../builder/b.ts')\n"), useCase])).toEqual([])
    expect(violations([...command("import type { B } from '../builder/b.ts'\n"), useCase])).toEqual([])
    expect(violations([...command("import { b } from '../builder/b.ts'\n"), importing('builder/b.ts')])).toEqual([])
    expect(violations([...command("import { b } from '../lib/b.ts'\n"), importing('lib/b.ts', 'zod')])).toContain(
      "every start of hangar loads 'zod'; import it when a command runs",
    )
  })

  it('the check reports an import cycle', () => {
    const cycle = [importing('images/a.ts', './b.ts'), importing('images/b.ts', './c.ts')]
    expect(violations([...cycle, importing('images/c.ts', './a.ts')])).toHaveLength(3)
    expect(violations([...cycle, importing('images/c.ts')])).toEqual([])
  })

  it.each([["export { x } from './b.ts'\n"], ["export * from './b.ts'\n"]])(
    'the check reports a file that only re-exports another: %j',
    (text) => {
      expect(violations([{ path: 'flash/a.ts', text }])).toEqual(['flash/a.ts re-exports another file'])
    },
  )

  it('the check reports a file of more than 300 lines', () => {
    const lines = (count: number) => [{ path: 'flash/a.ts', text: '\n'.repeat(count) }]
    expect(violations(lines(300))).toEqual([])
    expect(violations(lines(301))).toEqual(['flash/a.ts has 301 lines, wanted at most 300'])
  })

  it('the check reports a file name without a topic', () => {
    expect(violations([importing('builder/utils.ts')])).toEqual(['builder/utils.ts has a name without a topic'])
  })
})

describe('an allowed import', () => {
  it.each([
    ['images/a.ts', 'node:crypto'],
    ['images/layers/base/step.ts', 'node:fs'],
    ['builder/a.ts', 'node:fs'],
    ['hosts/a.ts', '../overlays/b.ts'],
    ['main.ts', './cli/b.ts'],
    ['cli/a.ts', '../flash/b.ts'],
    ['cli/a.ts', '../hosts/schema/b.ts'],
    ['cli/program.ts', 'commander'],
    ['test/a.test.ts', '../builder/b.ts'],
    ['test/a.test.ts', 'vitest'],
  ])('the check allows that %s imports %s', (path, imported) => {
    expect(violations([importing(path, imported)])).toEqual([])
  })
})
