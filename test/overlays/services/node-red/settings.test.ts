import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { settingsFile } from '../../../../overlays/services/node-red/settings.ts'
import { movedBelow, runNode, writeFiles } from '../../../helpers/run-node.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const PASSWORD = 'an Owner’s password '
const FILES = {
  'etc/node-red/secrets/admin-password': PASSWORD,
  'etc/node-red/secrets/credential-secret': 'encrypts credentials\n',
  'etc/node-red/flows.json': '[{"id":"first"}]\n',
}

/** Evaluates an expression with the settings in Node.js, in a container's files. */
const probe = (expression: string) =>
  `const settings = require('./settings.cjs'); const { authenticate, users } = settings.adminAuth
  Promise.resolve(${expression}).then((value) => console.log(JSON.stringify(value)))`

async function installed(changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await tempDirectory()
  const settings = movedBelow(directory, settingsFile('tiny', 1880), ['/etc/node-red', '/data'])
  writeFiles(directory, { ...FILES, 'settings.cjs': settings, 'data/.keep': '', ...changes })
  return directory
}

function evaluate(directory: string, expression: string): unknown {
  writeFileSync(join(directory, 'probe.cjs'), probe(expression))
  return runNode(join(directory, 'probe.cjs'))
}

describe("Node-RED's settings", () => {
  it('admit only the user admin, with the password of the secret', async () => {
    const directory = await installed()
    const attempts = [
      ['admin', PASSWORD],
      ['admin', PASSWORD.trim()],
      ['admin', ''],
      ['admin', { length: 3 }],
      ['root', PASSWORD],
      ['__proto__', PASSWORD],
    ]
    const answers = attempts.map((attempt) => `authenticate(...${JSON.stringify(attempt)})`)
    expect(evaluate(directory, `Promise.all([${answers}])`)).toEqual([
      { username: 'admin', permissions: '*' },
      ...attempts.slice(1).map(() => null),
    ])
    expect(evaluate(directory, "Promise.all([users('admin'), users('root')])")).toEqual([
      { username: 'admin', permissions: '*' },
      null,
    ])
  })

  it('give no access without a login', async () => {
    const directory = await installed()
    expect(evaluate(directory, '[settings.adminAuth.type, settings.adminAuth.default ?? null]')).toEqual([
      'credentials',
      null,
    ])
  })

  it('encrypt credentials with the secret, without the line end of its file', async () => {
    expect(evaluate(await installed(), 'settings.credentialSecret')).toBe('encrypts credentials')
  })

  it('contain no secret, and show none to nodes and to the editor', async () => {
    const directory = await installed()
    expect(evaluate(directory, '({ ...settings, credentialSecret: undefined })')).not.toContain(PASSWORD)
    expect(JSON.stringify(evaluate(directory, 'settings'))).not.toContain(PASSWORD)
    // Negative control.
    expect(JSON.stringify(evaluate(directory, 'settings'))).toContain('encrypts credentials')
  })

  it.each(['admin-password', 'credential-secret'])(
    'stop Node-RED if the secret %s is empty or missing',
    async (name) => {
      const empty = await installed({ [`etc/node-red/secrets/${name}`]: '\n' })
      expect(() => evaluate(empty, 'settings')).toThrow(`the secret ${name} is empty`)
      const missing = await installed()
      writeFileSync(
        join(missing, 'settings.cjs'),
        readFileSync(join(missing, 'settings.cjs'), 'utf8').replaceAll(name, 'other'),
      )
      expect(() => evaluate(missing, 'settings')).toThrow('ENOENT')
    },
  )

  it('install no packages, and send nothing to the internet', async () => {
    expect(evaluate(await installed(), 'settings')).toMatchObject({
      uiHost: '127.0.0.1',
      externalModules: {
        autoInstall: false,
        palette: { allowInstall: false, allowUpdate: false, allowUpload: false },
        modules: { allowInstall: false },
      },
      functionExternalModules: false,
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { projects: { enabled: false } },
    })
  })

  it('write the first flows once, and never over the flows of the owner', async () => {
    const directory = await installed()
    const flows = () => readFileSync(join(directory, 'data/flows.json'), 'utf8')
    evaluate(directory, 'null')
    expect(flows()).toBe(FILES['etc/node-red/flows.json'])
    writeFileSync(join(directory, 'data/flows.json'), '[]')
    evaluate(directory, 'null')
    expect(flows()).toBe('[]')
  })
})
