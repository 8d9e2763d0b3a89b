import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  closure,
  findModules,
  kernelRelease,
  requireModulesOf,
  select,
} from '../../../../images/layers/kernel/modules.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

/** Module path below `kernel/` -> what modinfo says that it depends on. */
const KERNEL = {
  'drivers/mmc/host/sdhci-brcmstb.ko.xz': 'sdhci-pltfm,mmc_core',
  'drivers/mmc/host/sdhci-pltfm.ko.xz': 'sdhci',
  'drivers/mmc/host/sdhci.ko.xz': 'mmc_core,builtin_thing',
  'drivers/mmc/core/mmc_core.ko.xz': '',
  'fs/erofs/erofs.ko': '',
}

/** A kernel's directory, and a modinfo first in PATH that reads dependencies from the files themselves. */
async function smallKernel(): Promise<string> {
  const directory = await tempDirectory()
  for (const [path, depends] of Object.entries(KERNEL)) {
    mkdirSync(dirname(`${directory}/kernel/${path}`), { recursive: true })
    writeFileSync(`${directory}/kernel/${path}`, `${depends}\n`)
  }
  mkdirSync(`${directory}/bin`)
  writeFileSync(`${directory}/bin/modinfo`, '#!/bin/sh\nshift 2\nexec cat "$@"\n')
  chmodSync(`${directory}/bin/modinfo`, 0o755)
  process.env.PATH = `${directory}/bin:${PATH}`
  return directory
}

const PATH = process.env.PATH
afterEach(() => {
  process.env.PATH = PATH
})

describe('kernel modules', () => {
  it('are found by the names that the kernel gives them', async () => {
    const found = findModules(await smallKernel())
    expect([...found.keys()].sort()).toEqual(['erofs', 'mmc_core', 'sdhci', 'sdhci_brcmstb', 'sdhci_pltfm'])
    expect(found.get('sdhci_brcmstb')).toBe('kernel/drivers/mmc/host/sdhci-brcmstb.ko.xz')
  })

  it('are found among our own too, and selected as those are', async () => {
    const directory = await smallKernel()
    mkdirSync(`${directory}/updates`)
    writeFileSync(`${directory}/updates/hangar_tryboot.ko`, '\n')
    const found = findModules(directory)
    expect(found.get('hangar_tryboot')).toBe('updates/hangar_tryboot.ko')
    expect(select(found, ['hangar_tryboot', 'fs/erofs/*'])).toEqual(['hangar_tryboot', 'erofs'])
  })

  it('of our own are refused where they were built for another kernel', async () => {
    const directory = await smallKernel()
    mkdirSync(`${directory}/updates`)
    writeFileSync(`${directory}/updates/hangar_tryboot.ko`, '7.3.4-arm64 SMP preempt mod_unload\n')
    await requireModulesOf('7.3.4-arm64', `${directory}/updates`)
    await expect(requireModulesOf('7.3.5-arm64', `${directory}/updates`)).rejects.toThrow(
      "module 'hangar_tryboot.ko' was built for kernel '7.3.4-arm64', wanted '7.3.5-arm64'",
    )
  })

  it('are selected in the order of the patterns, once, within one directory', async () => {
    const found = findModules(await smallKernel())
    expect(select(found, ['fs/erofs/erofs', 'drivers/mmc/host/sdhci*', 'drivers/mmc/host/sdhci', 'drivers/*'])).toEqual(
      ['erofs', 'sdhci_brcmstb', 'sdhci_pltfm', 'sdhci'],
    )
  })

  it('bring what they depend on, each after its own dependencies; what is built in needs no file', async () => {
    const directory = await smallKernel()
    expect(await closure(directory, findModules(directory), ['sdhci_brcmstb', 'erofs'])).toEqual([
      'mmc_core',
      'sdhci',
      'sdhci_pltfm',
      'sdhci_brcmstb',
      'erofs',
    ])
  })

  it('are of exactly one kernel', async () => {
    const root = await tempDirectory()
    expect(() => kernelRelease(root)).toThrow('wanted the modules of one kernel, found: none')
    for (const name of ['7.3.4-arm64', '7.3.5-arm64']) mkdirSync(`${root}/usr/lib/modules/${name}`, { recursive: true })
    expect(() => kernelRelease(root)).toThrow('found: 7.3.4-arm64, 7.3.5-arm64')
  })
})
