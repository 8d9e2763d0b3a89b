import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { build } from '../../../builder/build.ts'
import { exportImage } from '../../../builder/export/export.ts'
import type { HostPlan } from '../../../builder/host-plan.ts'
import { hostIdentityTar, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { pi } from '../../../builder/platforms/pi/platform.ts'
import { publishHost } from '../../../builder/publish/publish-host.ts'
import { secretRecords } from '../../../builder/secrets/records.ts'
import { openSecret, storeSecret } from '../../../builder/secrets/secret-store.ts'
import { editPrivately } from '../../../cli/editor.ts'
import type { Image } from '../../../images/image.ts'
import { storedTree } from '../../../images/layers/stored-tree.ts'
import { parseSecretName } from '../../../images/secrets/secret-name.ts'
import { run } from '../../../lib/subprocess.ts'
import { hostTree } from '../../../overlays/host-tree.ts'
import { secretsOf } from '../../../overlays/secrets.ts'
import { fakeRunner } from '../../helpers/fake-runner.ts'
import { testHost } from '../../helpers/host.ts'
import { leaksBelow, leaksInText, type Needle, needlesOf } from '../../helpers/leaks.ts'
import { readTar } from '../../helpers/read-tar.ts'
import { rejection } from '../../helpers/rejection.ts'
import { WITH_SECRETS } from '../../helpers/secret-service.ts'
import { smallLab, smallLock, smallPiPlan } from '../../helpers/small-lab.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { withTestService } from '../../helpers/test-service.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const PASSWORD = 'correct horse "battery" staple\nsecond line of the password'
const TOKEN = 'a-token-that-only-the-owner-knows'
const KEY = parseSecretName('test-key')

/** A small host whose `host` layer is the real one of a service with secrets. */
const services = withTestService(WITH_SECRETS)
const planWithSecrets: HostPlan = {
  ...smallPiPlan(smallLock('1'), 'one'),
  secrets: secretsOf(services),
  image: (context) => {
    const image = smallPiPlan(smallLock('1'), 'one').image(context) as Image
    const tree = { bytes: JSON.stringify(storedTree(hostTree(testHost(), services, context))) }
    const layers = image.layers.map((layer) =>
      layer.name === 'host'
        ? { ...layer, derivation: { ...layer.derivation, inputs: { ...layer.derivation.inputs, 'tree.json': tree } } }
        : layer,
    )
    return { ...image, layers }
  },
}

async function projectDirectory(directory: string): Promise<string> {
  const project = join(directory, 'project')
  mkdirSync(join(project, 'hosts'), { recursive: true })
  for (const name of ['dist', 'overlays', 'images']) symlinkSync(join(PROJECT, name), join(project, name))
  return project
}

/** Records the arguments of all programs that this process starts without waiting for them. */
function watchedChildren() {
  const children: ChildProcess[] = []
  const watch = (message: unknown) => void children.push((message as { process: ChildProcess }).process)
  subscribe('child_process', watch)
  return {
    arguments: () => children.flatMap(({ spawnargs }) => spawnargs ?? []).join('\n'),
    end: () => void unsubscribe('child_process', watch),
  }
}

/** Builds, publishes and exports a host with secrets, with all failures on the way. */
async function labWithSecrets() {
  const directory = await tempDirectory()
  const project = await projectDirectory(directory)
  const children = watchedChildren()
  const lab = await smallLab(directory, project)
  lab.moveLock('1')
  const messages: string[] = []
  const opened = lab.context()
  const env = { ...opened.env, HANGAR_STORE: lab.store.root, PATH: process.env.PATH, EDITOR: 'true' }
  const context = { ...opened, env, runner: fakeRunner(lab.store, opened.fetch, { inputs: 'whole' }) }
  const failed = async (failure: Promise<unknown>) => {
    const error = await rejection(failure)
    messages.push(`${error?.message}\n${error?.hint}`)
  }
  const built = () => build(context, { plan: planWithSecrets, frozen: 'frozen', output: join(directory, 'out') })
  await failed(built())
  await storeSecret(context, parseSecretName('test-password'), PASSWORD, ['tiny'])
  await storeSecret(context, parseSecretName('test-token'), TOKEN, ['tiny'])
  await built()
  await rotateHostIdentity(context, 'tiny', 'age')
  await failed(
    build(
      { ...context, env: { ...env, CI: 'true' } },
      { plan: planWithSecrets, frozen: 'frozen', output: join(directory, 'out') },
    ),
  )
  await built()
  await failed(damaged(project, () => openSecret(context, parseSecretName('test-token'))))
  await editPrivately({ env, name: 'test-token', text: TOKEN, signal: context.signal })
  await publishHost(
    { ...context, runner: undefined },
    { host: 'tiny', to: join(directory, 'published'), number: undefined, transport: 'https' },
  )
  await exportImage({
    ...{ host: 'tiny', images: pi.images('tiny'), output: join(directory, 'out'), target: join(directory, 'exported') },
    ...{ compress: withoutHoles, reporter: context.reporter },
  })
  children.end()
  const { notices, warnings, ended } = lab.reporter
  messages.push(...notices, ...warnings, ...ended)
  const needles = await needlesFor(context, join(directory, 'config/hangar'))
  return { directory, context, store: lab.store.root, project, children, messages, needles }
}

const ZEROS = Buffer.alloc(2 ** 18)

/** A compression whose output the search can read: leaves out zeros. */
async function withoutHoles(file: string, target: string): Promise<void> {
  const [from, to] = [await open(file), await open(target, 'w')]
  const buffer = Buffer.alloc(2 ** 18)
  for (let at = 0, count = -1; count !== 0; at += count) {
    count = (await from.read(buffer, 0, buffer.length, at)).bytesRead
    const piece = buffer.subarray(0, count)
    if (!piece.equals(ZEROS.subarray(0, count))) await to.write(piece)
  }
  await Promise.all([from.close(), to.close()])
}

/** Damages every ciphertext for as long as `use` runs. */
async function damaged(project: string, use: () => Promise<unknown>): Promise<unknown> {
  const directory = join(project, 'hosts/secrets')
  const names = readdirSync(directory).filter((name) => name.endsWith('.age'))
  const before = new Map(names.map((name) => [name, readFileSync(join(directory, name))]))
  for (const [name, bytes] of before) writeFileSync(join(directory, name), bytes.subarray(0, 200))
  try {
    return await use()
  } finally {
    for (const [name, bytes] of before) writeFileSync(join(directory, name), bytes)
  }
}

/** All clear texts: the secrets, the owner's private keys, and the host's private keys and machine id. */
async function needlesFor(context: Parameters<typeof openSecret>[0], keys: string): Promise<Needle[]> {
  const key = await openSecret(context, KEY)
  const tar = await hostIdentityTar(context, 'tiny', { signing: [], serial: { time: 1, number: 1 } })
  const members = await readTar(tar ?? new Uint8Array())
  const text = (name: string) => members.find(({ header }) => header.name === `./${name}`)?.bytes.toString() ?? ''
  const owner = readFileSync(join(keys, 'age_key'), 'utf8').split('\n')[1] ?? ''
  const secretLine = (openssh: string) => openssh.split('\n')[3] ?? ''
  const found = {
    ...{ 'test-key': key, 'bytes of test-key': Buffer.from(key, 'hex') },
    ...{ 'test-password': PASSWORD, 'first line of test-password': PASSWORD.split('\n')[0] ?? '', 'test-token': TOKEN },
    ...{ 'age key of the owner': owner, 'age key of the host': text('age/key').trim() },
    ...{ 'former age key of the host': text('age/key.1').trim(), 'machine id': text('machine-id').trim() },
    'SSH key of the host': secretLine(text('ssh/ssh_host_ed25519_key')),
    'signing key': secretLine(readFileSync(join(keys, 'signing_key'), 'utf8')),
    'login key': secretLine(readFileSync(join(keys, 'ssh_key'), 'utf8')),
  }
  for (const [name, secret] of Object.entries(found)) expect(secret.length, name).toBeGreaterThan(15)
  return Object.entries(found).flatMap(([name, secret]) => needlesOf(name, secret))
}

describe('a build of a host with secrets', () => {
  it('leaves no clear text of a secret or private key in any output, log, message or argument', async () => {
    const { directory, context, store, project, children, messages, needles } = await labWithSecrets()
    expect(Object.keys(secretRecords(project)).sort()).toEqual(['test-key', 'test-password', 'test-token'])

    const places = {
      store,
      out: join(directory, 'out'),
      published: join(directory, 'published'),
      exported: join(directory, 'exported'),
      hosts: join(project, 'hosts'),
    }
    const ciphertext = readFileSync(join(project, 'hosts/secrets/test-token.age'), 'utf8').split('\n')[2] ?? ''
    const control = needlesOf('ciphertext', ciphertext)
    for (const [place, path] of Object.entries(places)) {
      const { leaks, files } = leaksBelow(path, [...needles, ...control])
      // The search reads the place where a clear text would be: it finds the ciphertext there, and nothing else.
      expect(new Set(leaks.map((leak) => leak.split(': ').at(-1))), place).toEqual(new Set(['ciphertext']))
      expect(files, place).toBeGreaterThan(3)
    }
    expect(messages.length).toBeGreaterThan(10)
    expect(leaksInText(messages.join('\n'), needles)).toEqual([])
    expect(children.arguments()).toMatch(/^git\n.*test-token$/s)
    expect(leaksInText(children.arguments(), needles)).toEqual([])

    // Negative controls: a planted secret is found in each place and form.
    for (const [place, path] of Object.entries(places)) {
      const planted = join(path, 'planted')
      mkdirSync(planted)
      for (const [at, { bytes }] of needles.entries())
        writeFileSync(join(planted, `${at}`), Buffer.concat([Buffer.alloc(7, 'x'), bytes, Buffer.alloc(9, 'y')]))
      const { leaks } = leaksBelow(path, needles)
      const wanted = needles.map(({ name }, at) => `${join(planted, `${at}`)}: ${name}`)
      expect(leaks, place).toEqual(expect.arrayContaining(wanted))
    }
    context.reporter.notice(`the token is ${TOKEN}`)
    expect(leaksInText(context.reporter.notices.join('\n'), needles)).toEqual(['test-token'])
    const watched = watchedChildren()
    await run('true', [Buffer.from(PASSWORD).toString('base64')], { env: { PATH: process.env.PATH ?? '' } })
    watched.end()
    expect(leaksInText(watched.arguments(), needles)).toEqual(['test-password', 'first line of test-password'])
  }, 300_000)

  it('the planted forms are the ones of the secret (control of the search itself)', async () => {
    for (const before of ['', 'a', 'ab', 'abc'])
      for (const encoding of ['base64', 'hex', 'latin1'] as const) {
        const text = Buffer.from(`${before}${TOKEN}zz`).toString(encoding)
        expect(leaksInText(`x${text}y`, needlesOf('token', TOKEN)), `${before} ${encoding}`).toEqual(['token'])
      }
    expect(leaksInText(Buffer.from('another text').toString('base64'), needlesOf('token', TOKEN))).toEqual([])
  })
})
