/** Part of an image that a file is installed into. */
export type Place = 'host' | 'initramfs' | 'kernel'

export interface Destination {
  readonly in: Place
  /** Absolute path on the running host, or in the initramfs. `RELEASE` is the kernel's release. */
  readonly path: string
  readonly mode: number
}

/** A file that is installed as it is, or a program that is compiled from its sources. */
export interface DeviceFile {
  readonly name: string
  /** Paths below `overlays/device`; one path for a file that is installed as it is. */
  readonly sources: readonly string[]
  readonly kind: 'script' | 'program'
  readonly destinations: readonly Destination[]
}

/**
 * The directory of the scripts and programs on a host. The agent's scripts and the units of `overlays/base` also
 * contain this path.
 */
export const HANGAR_LIB = '/usr/lib/hangar'
/** The directory of the scripts that /init of the initramfs sources. */
export const INITRAMFS_LIB = '/lib/hangar'

const onHost = (name: string): Destination => ({ in: 'host', path: `${HANGAR_LIB}/${name}`, mode: 0o755 })
const inInitramfs = (name: string): Destination => ({ in: 'initramfs', path: `${INITRAMFS_LIB}/${name}`, mode: 0o444 })

function script(name: string, source: string, ...destinations: readonly Destination[]): DeviceFile {
  return { name, kind: 'script', sources: [source], destinations }
}

function program(name: string, sources: readonly string[], destination: Destination): DeviceFile {
  return { name, kind: 'program', sources, destinations: [destination] }
}

const BLOCKS_SOURCES = [
  ...['blocks/blocks.h', 'blocks/device.c', 'blocks/main.c', 'blocks/missing.c', 'blocks/records.c'],
  ...['blocks/sha256.c', 'blocks/text.c', 'blocks/tree.c', 'blocks/writer.c'],
]

/** Every file of `overlays/device`, and its location in an image. */
export const DEVICE_FILES: readonly DeviceFile[] = uniqueNames([
  script('init', 'initramfs/init', { in: 'initramfs', path: '/init', mode: 0o755 }),
  script('other-slot', 'initramfs/other-slot.sh', inInitramfs('other-slot')),
  script('agent', 'agent/agent.sh', onHost('agent')),
  script('boot-state', 'agent/boot-state.sh', onHost('boot-state')),
  script('health', 'agent/health.sh', onHost('health')),
  script('lock', 'agent/lock.sh', onHost('lock')),
  script('record', 'agent/record.sh', onHost('record'), inInitramfs('record')),
  script('renew-identity', 'agent/renew-identity.sh', onHost('renew-identity')),
  script('revert', 'agent/revert.sh', onHost('revert')),
  script('selector', 'agent/selector.sh', onHost('selector')),
  script('slot', 'agent/slot.sh', onHost('slot')),
  script('starts', 'agent/starts.sh', onHost('starts'), inInitramfs('starts')),
  script('status', 'agent/status.sh', onHost('status')),
  script('trial', 'agent/trial.sh', onHost('trial')),
  script('tryboot', 'agent/tryboot.sh', onHost('tryboot'), inInitramfs('tryboot')),
  script('watch', 'agent/watch.sh', onHost('watch')),
  script('write', 'agent/write.sh', onHost('write')),
  script('console', 'system/console.sh', onHost('console')),
  script('data', 'system/data.sh', onHost('data')),
  script('decrypt-secrets', 'system/secrets.sh', onHost('decrypt-secrets')),
  script('identity', 'system/identity.sh', onHost('identity')),
  script('metrics', 'system/metrics.sh', onHost('metrics')),
  program('blocks', BLOCKS_SOURCES, onHost('blocks')),
  program('hangar_tryboot.ko', ['tryboot-module/Kbuild', 'tryboot-module/hangar_tryboot.c'], {
    in: 'kernel',
    path: '/usr/lib/modules/RELEASE/updates/hangar_tryboot.ko',
    mode: 0o644,
  }),
])

/** Every path below `overlays/device` that an image is made from. */
export function deviceSources(files: readonly DeviceFile[] = DEVICE_FILES): string[] {
  return files.flatMap(({ sources }) => sources)
}

/** The installed scripts: destination path -> text. `texts` has every source by its path. */
export function scriptsIn(place: Place, texts: Readonly<Record<string, string>>): Map<Destination, string> {
  const scripts = DEVICE_FILES.filter(({ kind }) => kind === 'script')
  return new Map(
    scripts.flatMap(({ sources: [source = ''], destinations }) =>
      destinations.filter((each) => each.in === place).map((each) => [each, textOf(texts, source)] as const),
    ),
  )
}

/** The path of a program on the host. */
export function programPath(name: string): string {
  const path = DEVICE_FILES.find((each) => each.kind === 'program' && each.name === name)?.destinations[0]?.path
  if (path === undefined) throw new Error(`overlays/device/manifest.ts has no program '${name}'`)
  return path
}

function textOf(texts: Readonly<Record<string, string>>, source: string): string {
  const text = texts[source]
  if (text === undefined) throw new Error(`no text was given for 'overlays/device/${source}'`)
  return text
}

/**
 * Returns the files, and refuses duplicate names, sources and destinations: one file would silently replace the other
 * on the host.
 */
export function uniqueNames(files: readonly DeviceFile[]): readonly DeviceFile[] {
  const used = {
    name: files.map(({ name }) => name),
    source: deviceSources(files),
    destination: files.flatMap(({ destinations }) => destinations.map((each) => `${each.in}:${each.path}`)),
  }
  for (const [what, values] of Object.entries(used)) {
    const twice = values.find((value, at) => values.indexOf(value) !== at)
    if (twice !== undefined) throw new Error(`overlays/device/manifest.ts has the ${what} '${twice}' twice`)
  }
  return files
}
