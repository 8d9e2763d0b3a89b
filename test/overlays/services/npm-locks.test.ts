import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { currentLock } from '../../../images/npm/locked-packages.ts'
import { everyService, testServices } from '../../helpers/host.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const folders = testServices(everyService('64 MiB')).services.flatMap(({ containers }) =>
  containers.flatMap(({ image }) => (image.source === 'npm' ? [image.folder] : [])),
)

describe('the services of npm packages', () => {
  it('exist', () => {
    expect(folders).toEqual(['overlays/services/node-red', 'overlays/services/zigbee2mqtt'])
  })
})

describe.each(folders)('the lock of %s', (folder) => {
  const read = (name: string) => readFileSync(join(PROJECT, folder, name), 'utf8')
  const text = read('package-lock.json')

  it('is for the package.json beside it', () => {
    const paths = { manifest: 'package.json', lock: 'package-lock.json' }
    expect(currentLock({ manifest: read('package.json'), lock: text }, paths)).toBeDefined()
  })

  it('names no server, and has the integrity of every package', () => {
    const { packages } = JSON.parse(text) as { packages: Record<string, { integrity?: string; inBundle?: boolean }> }
    expect(text).not.toContain('"resolved"')
    const without = Object.entries(packages).filter(
      ([location, { integrity, inBundle }]) => location !== '' && integrity === undefined && inBundle !== true,
    )
    expect(without).toEqual([])
  })

  it('has a name that does not depend on the directory in which npm ran', () => {
    expect(JSON.parse(text).name).toBe(JSON.parse(read('package.json')).name)
    expect(JSON.parse(text).name).toMatch(/-service$/)
  })
})
