import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { makeHostIdentity, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { openSecret } from '../../../builder/secrets/secret-store.ts'
import type { Command } from '../../../cli/command.ts'
import { secrets } from '../../../cli/commands/secrets.ts'
import { secretsEdit } from '../../../cli/commands/secrets-edit.ts'
import { secretsGenerate } from '../../../cli/commands/secrets-generate.ts'
import { secretsRotate } from '../../../cli/commands/secrets-rotate.ts'
import { secretsSet } from '../../../cli/commands/secrets-set.ts'
import { runProgram } from '../../../cli/program.ts'
import type * as Input from '../../../cli/secret-input.ts'
import { parseSecretName } from '../../../images/secrets/secret-name.ts'
import { COMMANDS } from '../../../main.ts'
import type * as Registry from '../../../overlays/services/registry.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { HOST_FILE, testHost } from '../../helpers/host.ts'
import { rejection } from '../../helpers/rejection.ts'
import { secretPlace } from '../../helpers/secret-place.ts'

const typed = vi.hoisted(() => ({ text: '', prompts: [] as string[] }))

vi.mock('../../../cli/secret-input.ts', async (original) => ({
  ...(await original<typeof Input>()),
  readSecret: async (prompt: string) => {
    typed.prompts.push(prompt)
    return typed.text
  },
}))

// No service of the registry has secrets yet: this adds one.
vi.mock('../../../overlays/services/registry.ts', async (original) => {
  const registry = await original<typeof Registry>()
  const { z } = await import('zod')
  const { service } = await import('../../../overlays/service.ts')
  const { WITH_SECRETS } = await import('../../helpers/secret-service.ts')
  const given = { name: 'test', about: 'a service for tests', options: z.strictObject({}), memory: '64 MiB' } as const
  const test = service({ ...given, ports: () => [], containers: () => ({}), ...(WITH_SECRETS as object) })
  const findService = (name: string) => (name === 'test' ? test : registry.findService(name))
  return { ...registry, SERVICES: { ...registry.SERVICES, test }, findService }
})

const SERVICES = { test: { memory: '64 MiB' } } as unknown as (typeof HOST_FILE)['services']
const at = (name: string, address: string, services = SERVICES) =>
  testHost({ name, network: { ...HOST_FILE.network, address }, services })
const [ADAMA, STARBUCK] = [at('adama', '192.0.2.11/24'), at('starbuck', '192.0.2.12/24')]
const HELO = at('helo', '192.0.2.13/24', {})

async function bench(...withIdentity: string[]) {
  const place = await secretPlace(...withIdentity)
  const facts = [ADAMA, STARBUCK, HELO]
  const { project, env, reporter } = { ...place, ...place.context }
  const context = commandContext({ ...{ project, env, reporter }, facts })
  const run = (command: Command, ...words: string[]) => command.run(context, words, {})
  const set = (name: string, text: string) => {
    typed.text = text
    return run(secretsSet, name)
  }
  const value = (name: string) => openSecret(place.context, parseSecretName(name))
  const states = async () => {
    const rows = ((await run(secrets)) ?? '').split('\n\n')[0]?.split('\n').slice(1) ?? []
    return Object.fromEntries(rows.map((row) => [row.split(' ')[0], row.split(/ {2,}/).at(-1)]))
  }
  return { ...place, command: context, run, set, value, states }
}

describe('secrets', () => {
  it('lists each secret with its kind, service, hosts, age and state, and the commands for the missing ones', async () => {
    const { run, set } = await bench('adama', 'starbuck')
    await set('test-password', 'hunter2')
    const [table, advice] = ((await run(secrets)) ?? '').split('\n\n')
    const rows = table?.split('\n').map((row) => row.split(/ {2,}/))
    expect(rows).toEqual([
      ['secret', 'kind', 'used by', 'hosts', 'made', 'encrypted for', 'state'],
      ['test-key', 'random', 'test', 'adama starbuck', 'missing'],
      [
        ...['test-password', 'given', 'test', 'adama starbuck'],
        ...[expect.stringMatching(/^\d{4}-\d\d-\d\d$/), 'adama starbuck', 'ok'],
      ],
      ['test-token', 'given', 'test', 'adama starbuck', 'missing'],
    ])
    expect(advice).toBe('to generate the random secrets that are missing: npm run secrets generate')
  })

  it('encrypts secrets again for a host that joined or rotated its key', async () => {
    const { context, set, states, asHost, reporter } = await bench('adama')
    await set('test-password', 'hunter2')
    await makeHostIdentity(context, 'starbuck')
    await rotateHostIdentity(context, 'adama', 'age')
    expect(await states()).toMatchObject({ 'test-password': 'ok' })
    expect(await asHost('starbuck', 'test-password')).toBe('hunter2')
    expect(reporter.notices.at(-1)).toContain('is not encrypted to all age keys of adama, and is not encrypted to all')
  })

  it("shows what is stale on a computer without the owner's key, and changes nothing", async () => {
    const { context, set, run, states, keyFile, ciphertext } = await bench('adama')
    await set('test-password', 'hunter2')
    await rotateHostIdentity(context, 'adama', 'age')
    rmSync(keyFile)
    const before = ciphertext('test-password')
    expect(await states()).toMatchObject({ 'test-password': 'not encrypted for adama, starbuck' })
    expect(await run(secrets)).toContain("run this command on the machine with the owner's age key")
    expect(await run(secrets)).toContain('starbuck has no age key in the project: npm run init starbuck')
    expect(ciphertext('test-password')).toBe(before)
  })

  it('lists stored secrets that no service needs, but not the key of the internal CA', async () => {
    const { context, states } = await bench('adama')
    const { storeSecret } = await import('../../../builder/secrets/secret-store.ts')
    for (const name of ['ca', 'certificate-adama-test', 'former-token'])
      await storeSecret(context, parseSecretName(name), 'x', ['adama'])
    const unused = 'unused by every service'
    expect(await states()).toMatchObject({ 'former-token': unused, 'certificate-adama-test': unused })
    expect(Object.keys(await states())).not.toContain('ca')
  })

  it('says that a lab needs no secret', async () => {
    const { project, context } = await secretPlace()
    const command = commandContext({ project, env: context.env, facts: [HELO] })
    expect(await secrets.run(command, [], {})).toBe('no service of the lab needs a secret')
  })
})

describe('secrets set', () => {
  it('asks for the value, stores it, and prints the files to commit and the next command', async () => {
    const { set, value } = await bench('adama', 'starbuck')
    expect(await set('test-password', 'hunter2')).toBe(
      [
        'stored hosts/secrets/test-password.age, encrypted to adama, starbuck, you',
        'add to the repository: git add hosts/secrets/test-password.age hosts/secrets/secrets.json',
        'next: npm run flash adama starbuck',
      ].join('\n'),
    )
    expect(typed.prompts.at(-1)).toBe('test-password (password of the mail server): ')
    expect(await value('test-password')).toBe('hunter2')
  })

  it('names the hosts that cannot decrypt the value yet', async () => {
    const { set } = await bench('adama')
    expect(await set('test-password', 'hunter2')).toContain(
      'not encrypted to starbuck yet, which has no age key in the project: npm run init starbuck',
    )
  })

  it.each([['hunter2'], ['-hunter2'], ['--hunter2'], ['two', 'words']])(
    'refuses the value as an argument, and never quotes it: %s',
    async (...words) => {
      const { command, files } = await bench('adama')
      const error = await rejection(runProgram(COMMANDS, command, ['secrets', 'set', 'test-password', ...words]))
      expect(error).toMatchObject({
        code: 'usage',
        message: "'secrets set test-password' takes no value as an argument: other users can read arguments",
        hint: expect.stringContaining('type the value at the prompt: npm run secrets set test-password'),
      })
      expect(`${error?.message} ${error?.hint}`).not.toMatch(/hunter2|two|words/)
      expect(files()).toEqual([])
    },
  )

  it('refuses line breaks for a secret that a container gets as a variable', async () => {
    const { set, files } = await bench('adama')
    await expect(set('test-token', 'one\ntwo')).rejects.toMatchObject({
      message:
        "the value of the secret 'test-token' has line breaks, and the variable 'TOKEN' of container 'test' cannot hold them",
    })
    await expect(set('test-token', '')).rejects.toMatchObject({ message: expect.stringContaining('0 bytes') })
    expect(files()).toEqual([])
  })

  it('suggests the nearest name for a mistyped one', async () => {
    const { set } = await bench('adama')
    await expect(set('test-pasword', 'x')).rejects.toMatchObject({
      message: "no secret 'test-pasword'; the lab has: test-key, test-password, test-token",
      hint: "did you mean 'test-password'?",
    })
  })
})

describe('secrets generate', () => {
  it('generates every random secret that is missing, keeps the others, and lists what only the owner knows', async () => {
    const { run, value, reporter } = await bench('adama', 'starbuck')
    expect(await run(secretsGenerate)).toBe(
      [
        'generated 1 secret',
        "to set 'test-password' (password of the mail server): npm run secrets set test-password",
        "to set 'test-token' (token): npm run secrets set test-token",
      ].join('\n'),
    )
    const first = await value('test-key')
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect(reporter.notices.join()).not.toContain(first)
    expect(await run(secretsGenerate)).toContain('no random secret is missing')
    expect(await value('test-key')).toBe(first)
  })
})

describe('secrets rotate', () => {
  it('replaces a random secret by a new value, which it does not print', async () => {
    const { run, value, asHost } = await bench('adama', 'starbuck')
    await run(secretsGenerate)
    const before = await value('test-key')
    const text = await run(secretsRotate, 'test-key')
    const after = await value('test-key')
    expect(after).toMatch(/^[0-9a-f]{32}$/)
    expect(after).not.toBe(before)
    expect(text).toContain('next: npm run flash adama starbuck')
    expect(text).not.toContain(after)
    expect(await asHost('starbuck', 'test-key')).toBe(after)
  })

  it('asks for the new value of a secret that only the owner knows', async () => {
    const { run, value } = await bench('adama')
    typed.text = 'hunter3'
    await run(secretsRotate, 'test-password')
    expect(await value('test-password')).toBe('hunter3')
  })
})

describe('secrets edit', () => {
  const withEditor = async (editor: string) => {
    const place = await bench('adama')
    const command = { ...place.command, env: { ...place.command.env, PATH: process.env.PATH, EDITOR: editor } }
    await place.set('test-password', 'one\ntwo')
    const before = place.ciphertext('test-password')
    return { ...place, before, edit: (name: string) => secretsEdit.run(command, [name], {}) }
  }

  it('encrypts the changed text, without the line break that an editor adds at the end', async () => {
    const { edit, value } = await withEditor('f() { sed -i s/two/three/ "$1" && echo >>"$1"; }; f')
    expect(await edit('test-password')).toContain('stored hosts/secrets/test-password.age')
    expect(await value('test-password')).toBe('one\nthree')
  })

  it('changes nothing when the text is the same', async () => {
    const { edit, before, ciphertext } = await withEditor('f() { echo >>"$1"; }; f')
    expect(await edit('test-password')).toBe('test-password is unchanged')
    expect(ciphertext('test-password')).toBe(before)
  })

  it('names the command for a secret that is not there', async () => {
    const { edit } = await withEditor('true')
    await expect(edit('test-token')).rejects.toMatchObject({
      hint: expect.stringContaining('npm run secrets set test-token'),
    })
  })
})

describe('the files of secrets', () => {
  it('contain no value in clear text after all commands', async () => {
    const { project, run, set, value } = await bench('adama', 'starbuck')
    await set('test-password', 'hunter2')
    await run(secretsGenerate)
    const values = ['hunter2', await value('test-key')]
    const files = readdirSync(join(project, 'hosts'), { recursive: true, withFileTypes: true }).filter((each) =>
      each.isFile(),
    )
    expect(files.length).toBe(7)
    const contains = (text: string) =>
      files.some((file) => readFileSync(join(file.parentPath, file.name)).includes(text))
    for (const each of values) expect(contains(each)).toBe(false)
    writeFileSync(join(project, 'hosts/secrets/secrets.json'), 'hunter2')
    expect(contains('hunter2')).toBe(true)
  })
})
