import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compiledHost } from '../../../cli/host-files/compile.ts'
import { hostFiles, hostNames, loadHost } from '../../../cli/host-files/load.ts'
import { UserError } from '../../../errors.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { runIn } from '../../helpers/project.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** A project with host files only; its `host()` returns its argument. */
async function project(files: Readonly<Record<string, string>>) {
  const directory = await tempDirectory()
  const put = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  put('hosts/schema/host.ts', 'export const host = (given: object) => given\n')
  put('hosts/schema/lab-file.ts', 'export const defineLab = (given: object) => given\n')
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

const NAMES = ['adama', 'apollo', 'starbuck', 'tigh']

/** Prints the errors of host files. A process of its own, because vitest turns on source maps for its own process. */
const LOADER = `
import { loadHost } from './cli/host-files/load.ts'
const [, , project, ...names] = process.argv
const results = await Promise.allSettled(names.map((name) => loadHost(project, name)))
for (const { reason } of results) console.log(reason.message)
`

describe('hostNames', () => {
  it('lists the files that export a host', async () => {
    expect(hostNames((await project(TWO)).directory)).toEqual(['adama', 'starbuck'])
  })
})

describe('loadHost with an unknown name', () => {
  it.each([
    ['adma', "did you mean 'adama'?"],
    ['starbuk', "did you mean 'starbuck'?"],
    ['boomer', 'to add the host, copy hosts/adama.ts to hosts/boomer.ts and change the copy'],
  ])('suggests a host name for %s', async (name, hint) => {
    const { load } = await project(TWO)
    await expect(load(name)).rejects.toMatchObject({ message: `no host '${name}'; hosts are: adama, starbuck`, hint })
  })
})

describe('loadHost', () => {
  it('returns the host that the file exports', async () => {
    expect(await (await project(TWO)).load('starbuck')).toEqual({ name: 'starbuck' })
  })

  it('names the file and line of a syntax error, without a stack', async () => {
    const { load } = await project({ 'hosts/adama.ts': `${hostFile('adama')}const = 1\n` })
    const error = await load('adama').catch((each: unknown) => each)
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).message).toMatch(/^hosts\/adama\.ts:4: Expected identifier/)
    expect((error as UserError).hint).toBe('the line reads: const = 1')
  })

  it('names the imported file that has a syntax error', async () => {
    const { load } = await project({
      'hosts/adama.ts': hostFile('adama', "import './more.ts'"),
      'hosts/more.ts': '\nlet let',
    })
    await expect(load('adama')).rejects.toMatchObject({ message: expect.stringMatching(/^hosts\/more\.ts:2: /) })
  })

  it('names the line of every error when host files load at the same time', async () => {
    const failing = 'interface Gone { x: 1 }\nconst x: string = undefined.x'
    const files = NAMES.map((name) => [`hosts/${name}.ts`, hostFile(name, failing)] as const)
    const { directory, load } = await project(Object.fromEntries(files))
    // Compiles the files, because the program below cannot contain esbuild.
    await Promise.allSettled(NAMES.map(load))
    const program = await childProgram(LOADER, await tempDirectory())
    const { stdout } = await runIn({ cwd: directory }, process.execPath, program, directory, ...NAMES)
    const problem = "Cannot read properties of undefined (reading 'x')"
    expect(stdout.trimEnd().split('\n')).toEqual(NAMES.map((name) => `hosts/${name}.ts:3: ${problem}`))
  })

  it('names the line of an import that does not exist', async () => {
    const { load } = await project({ 'hosts/adama.ts': hostFile('adama', "import './gone.ts'") })
    await expect(load('adama')).rejects.toMatchObject({ message: expect.stringMatching(/^hosts\/adama\.ts:2: .*gone/) })
  })

  it.each([
    ['memroy', "tiny.ts:7: unknown key 'memroy'", 'memory'],
    ['nmae', "tiny.ts:7: unknown key 'nmae'", 'name'],
    ['baord', "tiny.ts:7: unknown key 'baord'", 'board'],
  ])('names the line of a mistyped key, although the right key is missing: %s', async (key, message, meant) => {
    const right = { name: "'tiny'", board: "'raspberry-pi-5'", memory: "'4 GiB'", disk: "'64 GB'" }
    const { [meant as keyof typeof right]: value, ...others } = right
    const text = [
      "import { host } from './schema/host.ts'",
      'export const tiny = host({',
      `  network: { address: '192.0.2.10/24', gateway: '192.0.2.1' }, // ${key}: 1`,
      ...Object.entries(others).map(([name, each]) => `  ${name}: ${each},`),
      `  ${key}: ${value},`,
      '})',
    ].join('\n')
    const { load, put } = await project({ 'hosts/tiny.ts': `${text}\n` })
    put('dist/host.mjs', `export { host } from '${join(PROJECT, 'hosts/schema/host.ts')}'\n`)
    await expect(load('tiny')).rejects.toMatchObject({
      message: `hosts/${message}`,
      hint: expect.stringContaining(`did you mean '${meant}'?`),
    })
  })

  it('names the missing export of a file without a host', async () => {
    const { load } = await project({ 'hosts/my-host.ts': 'export {}\n' })
    await expect(load('my-host')).rejects.toMatchObject({
      hint: "end the file with: export const my_host = host({ name: 'my-host', … })",
    })
  })
})

describe('the lab file', () => {
  /** A project whose `host()` and `defineLab()` are the real ones. */
  const realProject = async (files: Readonly<Record<string, string>>) => {
    const made = await project(files)
    for (const [name, schema] of [
      ['host', 'host'],
      ['defineLab', 'lab-file'],
    ])
      made.put(`dist/${schema}.mjs`, `export { ${name} } from '${join(PROJECT, `hosts/schema/${schema}.ts`)}'\n`)
    return { ...made, hosts: hostFiles(made.directory) }
  }
  const LAB = [
    "import { defineLab } from './schema/lab-file.ts'",
    'export const lab = defineLab({',
    "  domain: 'home',",
    '  networks: {',
    "    lan: { subnet: '10.0.10.0/24', gateway: '10.0.10.1' },",
    '  },',
    '})',
    '',
  ].join('\n')
  const tiny = (address: string) =>
    [
      "import { host } from './schema/host.ts'",
      'export const tiny = host({',
      "  name: 'tiny', board: 'raspberry-pi-5', memory: '4 GiB', disk: '64 GB',",
      `  network: { address: '${address}' },`,
      '})',
      '',
    ].join('\n')

  it('gives a host the values that its file leaves out', async () => {
    const { hosts } = await realProject({ 'hosts/lab.ts': LAB, 'hosts/tiny.ts': tiny('10.0.10.11/24') })
    expect((await hosts.load('tiny')).network).toMatchObject({
      gateways: ['10.0.10.1'],
      dns: ['10.0.10.1'],
      domain: 'home',
    })
    expect((await hosts.lab()).domain).toBe('home')
  })

  it('is no host, and may be missing', async () => {
    const { hosts } = await realProject({ 'hosts/lab.ts': LAB, 'hosts/tiny.ts': tiny('10.0.10.11/24') })
    expect(hosts.names()).toEqual(['tiny'])
    await expect(hosts.load('lab')).rejects.toThrow("no host 'lab'; hosts are: tiny")
    expect(await (await realProject(TWO)).hosts.lab()).toEqual(DEFAULT_FACTS)
  })

  it('names the line of the host file when neither file has a gateway', async () => {
    const { hosts } = await realProject({ 'hosts/lab.ts': LAB, 'hosts/tiny.ts': tiny('10.0.20.11/24') })
    await expect(hosts.load('tiny')).rejects.toThrow(
      "hosts/tiny.ts:4 at 'network': no network in hosts/lab.ts contains '10.0.20.11', and the host file names no gateway",
    )
  })

  it.each([
    ['gateway:', 'gatewy:', "hosts/lab.ts:5: unknown key 'networks.lan.gatewy'", "did you mean 'gateway'?"],
    [
      "domain: 'home'",
      "domain: 'Home'",
      "hosts/lab.ts:3 at 'domain': 'Home' is not a domain",
      "use a domain such as 'lab'",
    ],
    ["'10.0.10.0/24'", "'10.0.10.0'", "hosts/lab.ts:5 at 'networks.lan.subnet': '10.0.10.0' is not a network", ''],
    ["domain: 'home'", 'domain: home', 'hosts/lab.ts:3: home is not defined', 'npm run types'],
    ["domain: 'home'", 'domain: =', 'hosts/lab.ts:3: Unexpected "="', 'the line reads: domain: =,'],
  ])('names the line of a mistake, for every command that needs a host: %s -> %s', async (from, to, message, hint) => {
    const { hosts } = await realProject({
      'hosts/lab.ts': LAB.replace(from, to),
      'hosts/tiny.ts': tiny('10.0.10.11/24'),
    })
    const error = { message: expect.stringContaining(message), hint: expect.stringContaining(hint) }
    await expect(hosts.load('tiny')).rejects.toMatchObject(error)
    await expect(hosts.lab()).rejects.toMatchObject(error)
  })

  it.each(['export {}\n', "export const lab = { domain: 'lab' }\n", tiny('10.0.10.11/24').replaceAll('tiny', 'lab')])(
    'must export a lab: %j',
    async (text) => {
      const { hosts } = await realProject({ 'hosts/lab.ts': text })
      await expect(hosts.lab()).rejects.toMatchObject({
        message: 'hosts/lab.ts exports no lab',
        hint: 'end the file with: export const lab = defineLab({ … }). A host cannot have the name lab',
      })
    },
  )
})

describe('compiledHost', () => {
  const compiled = (directory: string) =>
    readdirSync(join(directory, 'dist/hosts')).filter((name) => name.endsWith('.mjs'))

  it('compiles a host file only once while its content is the same', async () => {
    const { directory } = await project(TWO)
    const first = await compiledHost(directory, 'adama')
    utimesSync(first, 1, 1)
    expect(await compiledHost(directory, 'adama')).toBe(first)
    expect(statSync(first).mtimeMs).toBe(1000)
  })

  it('compiles again after a change of the file or of an import', async () => {
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

  it('compiles again if the compiled file or its record is missing or damaged', async () => {
    const { directory, put } = await project(TWO)
    const first = await compiledHost(directory, 'adama')
    put('dist/hosts/adama.json', '{"fil')
    expect(await compiledHost(directory, 'adama')).toBe(first)
    expect(readFileSync(first, 'utf8')).toContain('adama')
  })
})
