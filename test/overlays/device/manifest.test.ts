import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAssets } from '../../../builder/assets.ts'
import {
  DEVICE_FILES,
  type DeviceFile,
  deviceSources,
  scriptsIn,
  uniqueNames,
} from '../../../overlays/device/manifest.ts'
import { deviceTexts } from '../../helpers/device-texts.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const FILE: DeviceFile = {
  name: 'one',
  kind: 'script',
  sources: ['agent/one.sh'],
  destinations: [{ in: 'host', path: '/usr/lib/hangar/one', mode: 0o755 }],
}
const OTHER: DeviceFile = {
  name: 'two',
  kind: 'script',
  sources: ['system/two.sh'],
  destinations: [{ in: 'host', path: '/usr/lib/hangar/two', mode: 0o755 }],
}

/** A project whose `overlays/device` contains the given empty files. */
async function projectWith(paths: readonly string[]): Promise<string> {
  const project = await tempDirectory()
  mkdirSync(join(project, 'dist/steps'), { recursive: true })
  for (const path of paths) {
    const file = join(project, 'overlays/device', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '')
  }
  return project
}

/** Every file below `overlays/device` except TypeScript. The host would lack a file without a destination. */
function filesIn(project: string): string[] {
  const directory = join(project, 'overlays/device')
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort()
}

describe('the manifest of overlays/device', () => {
  it('the manifest names files that exist', () => {
    for (const source of deviceSources()) expect(statSync(join(PROJECT, 'overlays/device', source)).isFile()).toBe(true)
  })

  it('the manifest names every file, each with a destination', () => {
    expect(filesIn(PROJECT)).toEqual([...deviceSources()].sort())
    expect(Object.keys(readAssets(PROJECT, deviceSources()).deviceFiles)).toEqual(deviceSources())
    expect(DEVICE_FILES.filter(({ destinations }) => destinations.length === 0)).toEqual([])
  })

  it.each([
    ['name', { ...OTHER, name: FILE.name }, "the name 'one' twice"],
    ['source', { ...OTHER, sources: FILE.sources }, "the source 'agent/one.sh' twice"],
    ['destination', { ...OTHER, destinations: FILE.destinations }, "the destination 'host:/usr/lib/hangar/one' twice"],
  ])('refuses a %s that occurs twice', (_what, other, message) => {
    expect(() => uniqueNames([FILE, other])).toThrow(message)
    expect(uniqueNames([FILE, OTHER])).toHaveLength(2)
  })

  it('allows one file in the host and in the initramfs', () => {
    const both = {
      ...FILE,
      destinations: [...FILE.destinations, { in: 'initramfs', path: '/lib/hangar/one', mode: 0o444 }],
    } as const
    expect(uniqueNames([both])).toEqual([both])
  })

  it.each(['agent/extra.sh', 'blocks/extra.c', 'extra'])(
    'leaves %s out for a platform that does not use it',
    async (extra) => {
      const project = await projectWith(['agent/one.sh', extra])
      expect(filesIn(project)).toEqual(['agent/one.sh', extra].sort())
      expect(readAssets(project, ['agent/one.sh']).deviceFiles).toEqual({ 'agent/one.sh': '' })
      expect(readAssets(project, ['agent/one.sh', extra]).deviceFiles).toHaveProperty([extra])
    },
  )

  it('installs the record and the trial flag in the host and in the initramfs', () => {
    const pathsIn = (place: 'host' | 'initramfs') => [...scriptsIn(place, deviceTexts()).keys()].map(({ path }) => path)
    const sourced = ['other-slot', 'record', 'starts', 'tryboot'].map((name) => `/lib/hangar/${name}`)
    expect(pathsIn('initramfs').sort()).toEqual(['/init', ...sourced])
    expect(pathsIn('host')).toEqual(expect.arrayContaining(['/usr/lib/hangar/agent', '/usr/lib/hangar/record']))
  })

  it('refuses to install a file without its text', () => {
    expect(() => scriptsIn('host', {})).toThrow("no text was given for 'overlays/device/agent/agent.sh'")
  })
})
