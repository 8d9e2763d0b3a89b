import { chmodSync, chownSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { localRunner } from '../../../builder/runners/local.ts'
import { readDebianLock } from '../../../builder/sources/debian/source.ts'
import type { Store } from '../../../builder/store/store.ts'
import { type Derivation, derivationDigest, type Input, type Output } from '../../../images/derivation.ts'
import type { Digest } from '../../../images/digest.ts'
import { hostLayer } from '../../../images/layers/host/recipe.ts'
import { initramfs } from '../../../images/layers/initramfs/recipe.ts'
import { type LayerContext, layerSettings, stepDerivation } from '../../../images/layers/layer-recipe.ts'
import { lockedPackages } from '../../../images/lock.ts'
import { INITRAMFS } from '../../../images/sets.ts'
import { file } from '../../../images/tree.ts'
import { compileSteps } from '../../helpers/compile.ts'
import { derivation } from '../../helpers/derivation.ts'
import { LOCK_FILE } from '../../helpers/locked-image.ts'
import { oddDirectory } from '../../helpers/odd-directory.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { PROJECT, storeWithToolchain, type WithToolchain } from '../../helpers/toolchain.ts'

/** Something about a machine that could reach an image. */
interface Machine {
  readonly umask: number
  readonly env: Readonly<Record<string, string>>
  /** Changes an object of the store. */
  readonly damage: (object: string) => void
  readonly directory: 'usual' | 'odd'
}

const USUAL: Machine = { umask: 0o022, env: {}, damage: () => undefined, directory: 'usual' }
/** Each differs in several ways, because every build takes seconds. */
const ODD_MACHINES: readonly (readonly [string, Machine])[] = [
  [
    'umask 077, objects after chmod 400, another time zone and locale, options of tar and xz',
    {
      umask: 0o077,
      damage: (object) => chmodSync(object, 0o400),
      directory: 'usual',
      env: {
        ...{ TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', SOURCE_DATE_EPOCH: '1' },
        ...{ TAR_OPTIONS: '--mtime=@7', XZ_DEFAULTS: '-9', POSIXLY_CORRECT: '1', TMPDIR: '/nonexistent' },
      },
    },
  ],
  [
    'umask 027, objects after chown 1000, a set-group-id directory with a default ACL',
    { umask: 0o027, damage: (object) => chownSync(object, 1000, 1000), directory: 'odd', env: {} },
  ],
]

// The inputs are of this run only, because the test changes their objects.
const RUN = crypto.randomUUID()

it('layers and the initramfs are the same on every machine', async () => {
  const given = await storeWithToolchain()
  const wanted = await derivations(given)
  const usual = await build(given, wanted, USUAL)
  expect(Object.keys(usual)).toEqual(expect.arrayContaining(['host/layer.erofs', 'initramfs/initramfs.img']))
  for (const [name, machine] of ODD_MACHINES)
    expect({ name, ...(await build(given, wanted, machine)) }).toEqual({ name, ...usual })
}, 600_000)

it('a layer has no SELinux labels of the builder, but other attributes of its files', async () => {
  const { toolchain, ...given } = await storeWithToolchain()
  const steps = await compileSteps(PROJECT, { attribute: 'test/helpers/layer-with-attribute-step.ts' })
  const context = { builder: toolchain.architecture, toolchain, steps }
  const layerWith = async (...args: string[]) => {
    const recipe = { name: 'attribute', step: 'attribute', args, inputs: layerSettings(), privilege: 'all' } as const
    return (await build({ toolchain, ...given }, [stepDerivation(context, recipe)], USUAL))['attribute/layer.erofs']
  }
  const without = await layerWith()
  expect(without).toBeTypeOf('string')
  expect(await layerWith('security.selinux', 'system_u:object_r:tmp_t:s0')).toBe(without)
  // Negative control: mkfs.erofs does keep attributes.
  expect(await layerWith('trusted.other', 'value')).not.toBe(without)
})

async function derivations({ toolchain }: WithToolchain): Promise<Derivation[]> {
  const steps = await compileSteps(PROJECT, {
    host: 'images/layers/host/step.ts',
    initramfs: 'images/layers/initramfs/step.ts',
  })
  const { architecture } = toolchain
  const context: LayerContext = { builder: architecture, target: 'arm64', toolchain, steps }
  const packages = lockedPackages(await readDebianLock(LOCK_FILE), { set: INITRAMFS, architecture: 'arm64' })
  const program = { from: made(toolchain, 'program', 'echo program >/out/program'), file: 'program' }
  const tree = { '/etc/some/deep/file': file(`some ${RUN}`), '/etc/private': file('x', 0o600, { uid: 5, gid: 6 }) }
  return [
    hostLayer(context, { tree, programs: { '/usr/lib/hangar/program': program }, basePaths: { bytes: '{}' } }),
    initramfs(context, made(toolchain, 'modules', MODULES), packages ?? [], {
      init: `#!/bin/sh\n# ${RUN}\n`,
      lib: { 'some.sh': `# ${RUN}\n` },
    }),
  ]
}

const MODULES = 'mkdir m; echo one >m/load; tar -c -f /out/initramfs-modules.tar --mtime=@0 -C m .'

function made(toolchain: Derivation['toolchain'], name: string, script: string): Derivation {
  return derivation({ name, system: toolchain.architecture, toolchain, command: ['sh', '-ec', script, RUN] })
}

/** Builds all derivations again. Returns the digest of each file. */
async function build(
  { store, fetch }: WithToolchain,
  wanted: readonly Derivation[],
  { umask, env, damage, directory }: Machine,
): Promise<Record<string, Digest>> {
  const scratch = await mkdtemp(join(store.root, 'tmp', 'test-'))
  onTestFinished(() => rm(scratch, { recursive: true, force: true }))
  const parent = directory === 'odd' ? await oddDirectory(scratch) : scratch
  for (const input of wanted.flatMap(({ inputs }) => Object.values(inputs)))
    if (isOfThisRun(input)) damage(store.path(await store.putBytes(input.bytes)))
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const before = process.umask(umask)
  try {
    const outputs = await localRunner({ store: empty(store, parent), fetch }).realise(wanted, listReporter())
    return Object.fromEntries(wanted.flatMap((each) => digests(each.name, outputs.get(derivationDigest(each)) ?? {})))
  } finally {
    process.umask(before)
    vi.unstubAllEnvs()
  }
}

function isOfThisRun(input: Input): input is { readonly bytes: string } {
  return 'bytes' in input && input.bytes.includes(RUN)
}

function digests(name: string, output: Output): [string, Digest][] {
  return Object.entries(output).map(([path, { digest }]) => [`${name}/${path}`, digest])
}

/** The store without any output, so that every derivation runs again. Temporary files are in another directory. */
function empty(store: Store, parent: string): Store {
  const outputs = new Map<Digest, Output>()
  return {
    ...store,
    output: (digest) => outputs.get(digest),
    record: async (digest, output) => void outputs.set(digest, output),
    async scratch(name, use) {
      const directory = await mkdtemp(join(parent, `${name}-`))
      return use(directory).finally(() => rm(directory, { recursive: true, force: true }))
    },
  }
}
