import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compiledHost } from '../../../cli/host-files/compile.ts'
import { hostNames, loadHost } from '../../../cli/host-files/load.ts'
import { UserError } from '../../../errors.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A project with nothing but host files; their `host()` hands back what it is given. */
async function project(files: Readonly<Record<string, string>>) {
  const directory = await tempDirectory()
  const put = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  put('hosts/schema/host.ts', 'export const host = (given: object) => given\n')
  put('dist/host.mjs', 'export const host = (given) => given\n')
  for (const [path, text] of Object.entries(files)) put(path, text)
  return { directory, put, load: (name: string) => loadHost(directory, name) }
}

const hostFile = (name: string, more = '') =>
  `import { host } from './schema/host.ts'\n${more}\nexport const ${name} = host({ name: '${name}' })\n`
const TWO = {
  'hosts/adama.ts': hostFile('adama'),
  'hosts/starbuck.ts': hostFile('starbuck'),
  'hosts/schema/sizes.ts': 'export {}\n',
}

describe('the names of hosts', () => {
  it('are those of the files that export one', async () => {
    expect(hostNames((await project(TWO)).directory)).toEqual(['adama', 'starbuck'])
  })
})

describe('a host that is not there', () => {
  it.each([
    ['adma', "did you mean 'adama'?"],
    ['starbuk', "did you mean 'starbuck'?"],
    ['boomer', 'describe it in hosts/boomer.ts, for example from hosts/adama.ts'],
  ])('(%s) gets a hint', async (name, hint) => {
    const { load } = await project(TWO)
    await expect(load(name)).rejects.toMatchObject({ message: `no host '${name}'; hosts are: adama, starbuck`, hint })
  })
})

describe('a host file', () => {
  it('gives its host', async () => {
    expect(await (await project(TWO)).load('starbuck')).toEqual({ name: 'starbuck' })
  })

  it('with a syntax error is named with the line, without a stack', async () => {
    const { load } = await project({ 'hosts/adama.ts': `${hostFile('adama')}const = 1\n` })
    const error = await load('adama').catch((each: unknown) => each)
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).message).toMatch(/^hosts\/adama\.ts:4: Expected identifier/)
    expect((error as UserError).hint).toBe('the line is: const = 1')
  })

  it('that imports a file with a syntax error names that one', async () => {
    const { load } = await project({
      'hosts/adama.ts': hostFile('adama', "import './more.ts'"),
      'hosts/more.ts': '\nlet let',
    })
    await expect(load('adama')).rejects.toMatchObject({ message: expect.stringMatching(/^hosts\/more\.ts:2: /) })
  })

  it('that imports what is not there is named with the line', async () => {
    const { load } = await project({ 'hosts/adama.ts': hostFile('adama', "import './gone.ts'") })
    await expect(load('adama')).rejects.toMatchObject({ message: expect.stringMatching(/^hosts\/adama\.ts:2: .*gone/) })
  })

  it('without a host is told what it ends in', async () => {
    const { load } = await project({ 'hosts/my-host.ts': 'export {}\n' })
    await expect(load('my-host')).rejects.toMatchObject({
      hint: "it ends in: export const my_host = host({ name: 'my-host', … })",
    })
  })
})

describe('compiling host files', () => {
  const compiled = (directory: string) =>
    readdirSync(join(directory, 'dist/hosts')).filter((name) => name.endsWith('.mjs'))

  it('happens once for the same content', async () => {
    const { directory } = await project(TWO)
    const first = await compiledHost(directory, 'adama')
    utimesSync(first, 1, 1)
    expect(await compiledHost(directory, 'adama')).toBe(first)
    expect(statSync(first).mtimeMs).toBe(1000)
  })

  it('happens again where the file, or one that it imports, changed', async () => {
    const { directory, put } = await project({
      'hosts/adama.ts': hostFile('adama', "import { A } from './a.ts'\nconsole.assert(A)"),
      'hosts/a.ts': 'export const A = 1\n',
    })
    const first = await compiledHost(directory, 'adama')
    put('hosts/a.ts', 'export const A = 2\n')
    const second = await compiledHost(directory, 'adama')
    expect(second).not.toBe(first)
    put('hosts/a.ts', 'export const A = 1\n')
    expect(await compiledHost(directory, 'adama')).toBe(first)
    expect(compiled(directory)).toHaveLength(2)
  })

  it('happens again where the compiled file or its record is gone or damaged', async () => {
    const { directory, put } = await project(TWO)
    const first = await compiledHost(directory, 'adama')
    put('dist/hosts/adama.json', '{"fil')
    expect(await compiledHost(directory, 'adama')).toBe(first)
    expect(readFileSync(first, 'utf8')).toContain('adama')
  })
})
