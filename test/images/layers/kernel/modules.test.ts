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

/** Module path below `kernel/` -> dependencies that modinfo prints. */
const KERNEL = {
  'drivers/mmc/host/sdhci-brcmstb.ko.xz': 'sdhci-pltfm,mmc_core',
  'drivers/mmc/host/sdhci-pltfm.ko.xz': 'sdhci',
  'drivers/mmc/host/sdhci.ko.xz': 'mmc_core,builtin_thing',
  'drivers/mmc/core/mmc_core.ko.xz': '',
  'fs/erofs/erofs.ko': '',
}

/** Creates a kernel's directory. Puts a fake modinfo into PATH that prints the content of the files. */
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
  it('finds kernel modules by their names', async () => {
    const found = findModules(await smallKernel())
    expect([...found.keys()].sort()).toEqual(['erofs', 'mmc_core', 'sdhci', 'sdhci_brcmstb', 'sdhci_pltfm'])
    expect(found.get('sdhci_brcmstb')).toBe('kernel/drivers/mmc/host/sdhci-brcmstb.ko.xz')
  })

  it("finds and selects hangar's own modules in the same way", async () => {
    const directory = await smallKernel()
    mkdirSync(`${directory}/updates`)
    writeFileSync(`${directory}/updates/hangar_tryboot.ko`, '\n')
    const found = findModules(directory)
    expect(found.get('hangar_tryboot')).toBe('updates/hangar_tryboot.ko')
    expect(select(found, ['hangar_tryboot', 'fs/erofs/*'])).toEqual(['hangar_tryboot', 'erofs'])
  })

  it("refuses hangar's own modules if they were built for another kernel", async () => {
    const directory = await smallKernel()
    mkdirSync(`${directory}/updates`)
    writeFileSync(`${directory}/updates/hangar_tryboot.ko`, '7.3.4-arm64 SMP preempt mod_unload\n')
    await requireModulesOf('7.3.4-arm64', `${directory}/updates`)
    await expect(requireModulesOf('7.3.5-arm64', `${directory}/updates`)).rejects.toThrow(
      "module 'hangar_tryboot.ko' was built for kernel '7.3.4-arm64', expected '7.3.5-arm64'",
    )
  })

  it('selects modules in the order of the patterns, without duplicates; * does not match /', async () => {
    const found = findModules(await smallKernel())
    expect(select(found, ['fs/erofs/erofs', 'drivers/mmc/host/sdhci*', 'drivers/mmc/host/sdhci', 'drivers/*'])).toEqual(
      ['erofs', 'sdhci_brcmstb', 'sdhci_pltfm', 'sdhci'],
    )
  })

  it('lists modules after their dependencies, and leaves out built-in dependencies', async () => {
    const directory = await smallKernel()
    expect(await closure(directory, findModules(directory), ['sdhci_brcmstb', 'erofs'])).toEqual([
      'mmc_core',
      'sdhci',
      'sdhci_pltfm',
      'sdhci_brcmstb',
      'erofs',
    ])
  })

  it('refuses modules that belong to no kernel or to several kernels', async () => {
    const root = await tempDirectory()
    expect(() => kernelRelease(root)).toThrow('expected the modules of one kernel, found: none')
    for (const name of ['7.3.4-arm64', '7.3.5-arm64']) mkdirSync(`${root}/usr/lib/modules/${name}`, { recursive: true })
    expect(() => kernelRelease(root)).toThrow('found: 7.3.4-arm64, 7.3.5-arm64')
  })
})
