import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { npmVariables, parseNpmrc } from '../../../../builder/sources/npm/npmrc.ts'
import { readRegistries, registriesOf } from '../../../../builder/sources/npm/registry.ts'
import { oddString } from '../../../helpers/odd-strings.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { randomFrom } from '../../../power-cut/random.ts'

describe('parseNpmrc', () => {
  it('reads keys and values, and ignores comments, sections and lines without a value', () => {
    const text = [
      '; one',
      '# two',
      '',
      '[section]',
      'registry = https://a.example/ ',
      'alone',
      'x="a b"',
      "y='c'",
      'ca[]=1',
      'z=1 ; why',
    ]
    expect(parseNpmrc(text.join('\r\n'), {})).toEqual({
      ...{ registry: 'https://a.example/', x: 'a b', y: 'c', 'ca[]': '1', z: '1' },
    })
  })

  it('replaces variables of the environment, as npm does', () => {
    const env = { TOKEN: 'secret', HOST: 'a.example' }
    const variable = (name: string) => ['$', '{', name, '}'].join('')
    const lines = [
      `//${variable('HOST')}/:_authToken=${variable('TOKEN')}`,
      `a=${variable('ABSENT')}`,
      `b=${variable('ABSENT?')}`,
    ]
    expect(parseNpmrc([...lines, `c=\\${variable('TOKEN')}`].join('\n'), env)).toEqual({
      ...{ '//a.example/:_authToken': 'secret', a: variable('ABSENT'), b: '', c: `\\${variable('TOKEN')}` },
    })
  })

  it('reads any text without an error', () => {
    const random = randomFrom(5, 1)
    for (let round = 0; round < 1000; round += 1) {
      const settings = parseNpmrc(`${oddString('a=b', random)}\n${oddString('registry=x', random)}`, {})
      expect(Object.getPrototypeOf(settings)).toBe(Object.prototype)
      for (const value of Object.values(settings)) expect(typeof value).toBe('string')
    }
  })
})

describe('npmVariables', () => {
  it('reads variables in small and in capital letters, and keeps addresses and scopes', () => {
    expect(
      npmVariables({
        NPM_CONFIG_REGISTRY: 'a',
        npm_config_https_proxy: 'b',
        'npm_config_//h/:_authToken': 'c',
        'npm_config_@lab:registry': 'd',
        npm_config_empty: '',
        PATH: 'e',
      }),
    ).toEqual({ registry: 'a', 'https-proxy': 'b', '//h/:_authToken': 'c', '@lab:registry': 'd' })
  })
})

describe('the registries of the settings', () => {
  const PATH = '@lab/a/-/a-1.0.0.tgz'

  it("is npm's public registry without settings", () => {
    expect(registriesOf({}).urlOf('a/-/a-1.0.0.tgz')).toBe('https://registry.npmjs.org/a/-/a-1.0.0.tgz')
  })

  it('a scope can have a registry of its own', () => {
    const { urlOf } = registriesOf({ registry: 'https://a.example/npm', '@lab:registry': 'http://b.example:4873/' })
    expect(urlOf('a/-/a-1.0.0+b.tgz')).toBe('https://a.example/npm/a/-/a-1.0.0%2Bb.tgz')
    expect(urlOf(PATH)).toBe(`http://b.example:4873/${PATH}`)
    expect(urlOf('@other/a/-/a-1.0.0.tgz')).toBe('https://a.example/npm/@other/a/-/a-1.0.0.tgz')
  })

  it('sends a login only to the address that it is for', () => {
    const { headersFor } = registriesOf({
      ...{ '//a.example/npm/:_authToken': 'token', '//b.example/:_auth': 'dTpw', '//c.example/:username': 'u' },
      ...{ '//c.example/:_password': Buffer.from('p').toString('base64'), _authToken: 'for no address' },
    })
    expect(headersFor('https://a.example/npm/x')).toEqual({ authorization: 'Bearer token' })
    expect(headersFor('https://a.example/npm/@lab/a/-/a.tgz')).toEqual({ authorization: 'Bearer token' })
    expect(headersFor('https://a.example/npmx/a')).toEqual({})
    expect(headersFor('https://a.example/other/a')).toEqual({})
    expect(headersFor('https://b.example/a')).toEqual({ authorization: 'Basic dTpw' })
    expect(headersFor('https://c.example/a')).toEqual({
      authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
    })
    expect(headersFor('https://b.example:8443/a')).toEqual({})
    expect(headersFor('https://b.example.org/a')).toEqual({})
  })

  it('refuses a registry that is no web address', () => {
    for (const value of ['', 'registry', 'file:///x', 'ftp://a.example'])
      expect(() => registriesOf({ registry: value })).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: `npm's setting 'registry' is '${value}', wanted the web address of a registry`,
        }),
      )
    expect(() => registriesOf({ '@lab:registry': 'x' }).urlOf(PATH)).toThrow("npm's setting '@lab:registry'")
    expect(() => registriesOf({ registry: 'ftp://user:secret@a.example' })).toThrow("'ftp://a.example'")
  })

  it("uses npm's own proxies, with their exceptions, and otherwise leaves the decision to the environment", async () => {
    const { proxy } = registriesOf({ 'https-proxy': 'http://p.example:3128', noproxy: 'a.example, .lab' })
    expect(String(await proxy(new URL('https://b.example/')))).toBe('http://p.example:3128/')
    expect(await proxy(new URL('https://a.example/'))).toBe('direct')
    expect(await proxy(new URL('https://x.lab/'))).toBe('direct')
    expect(await proxy(new URL('https://x.a.example/'))).toBe('direct')
    expect(String(await proxy(new URL('https://xa.example/')))).toBe('http://p.example:3128/')
    expect(await proxy(new URL('http://b.example/'))).toBeUndefined()
    expect(await registriesOf({}).proxy(new URL('https://b.example/'))).toBeUndefined()
  })

  it('reads the environment before the files of the project, the user and the machine', async () => {
    const [project, home] = [await tempDirectory(), await tempDirectory()]
    const [user, globalFile] = [join(home, '.npmrc'), join(home, 'global')]
    await writeFile(globalFile, 'registry=https://global.example/\n@a:registry=https://global.example/\n')
    await writeFile(
      user,
      'registry=https://user.example/\n@b:registry=https://user.example/\n@c:registry=https://user.example/\n',
    )
    await writeFile(join(project, '.npmrc'), '@c:registry=https://project.example/\n')
    const env = { HOME: home, npm_config_globalconfig: globalFile }
    const { urlOf } = await readRegistries(env, project)
    const host = (path: string) => new URL(urlOf(path)).hostname.split('.')[0]
    expect(['x', '@a/x', '@b/x', '@c/x'].map(host)).toEqual(['user', 'global', 'user', 'project'])
    const other = await readRegistries({ ...env, NPM_CONFIG_REGISTRY: 'https://variable.example/' }, project)
    expect(other.urlOf('x')).toBe('https://variable.example/x')
  })

  it("trusts the certificates of npm's setting 'cafile', and refuses a file that it cannot read", async () => {
    const project = await tempDirectory()
    const file = join(project, 'ca.pem')
    await writeFile(file, 'PEM')
    const env = { HOME: project, npm_config_cafile: file }
    expect((await readRegistries(env, project)).authorities).toBe('PEM')
    await expect(readRegistries({ ...env, npm_config_cafile: '/nonexistent' }, project)).rejects.toMatchObject({
      message: "npm's setting 'cafile' names '/nonexistent', which cannot be read: ENOENT",
    })
  })
})
