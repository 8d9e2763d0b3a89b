import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { localRunner } from '../../../../builder/runners/local.ts'
import { derivationDigest } from '../../../../images/derivation.ts'
import { digestOf } from '../../../../images/digest.ts'
import { blocksProgram } from '../../../../images/layers/blocks/recipe.ts'
import { sbomRest } from '../../../../images/layers/sbom/recipe.ts'
import { REST_FILE } from '../../../../images/sbom/document.ts'
import type { Part } from '../../../../images/sbom/part.ts'
import { nativeKit } from '../../../helpers/built-native.ts'
import { compile } from '../../../helpers/compile.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { PROJECT, storeWithToolchain } from '../../../helpers/toolchain.ts'

describe('sbomRest', () => {
  it('describes the packages that our programs link, and has the digests of our programs', async () => {
    compile(PROJECT)
    const given = await storeWithToolchain()
    const { context, kit } = await nativeKit(given)
    const blocks = blocksProgram(kit)
    const host: Part = { kind: 'layer', name: 'host', packages: [], relation: 'CONTAINS', programs: [blocks] }
    const rest = sbomRest(context, { parts: [host], unpacked: {}, programs: { blocks: { bytes: 'a program' } } })
    const outputs = await localRunner(given).realise([rest], listReporter())
    const { digest = '' } = outputs.get(derivationDigest(rest))?.[REST_FILE] ?? {}
    const text = readFileSync(given.store.path(digest as never), 'utf8')
    // The head of the document ends with a package.
    const { packages } = JSON.parse(`{"packages":[{}${text}`)
    expect(packages).toContainEqual(expect.objectContaining({ name: 'blocks', licenseDeclared: 'MIT' }))
    expect(packages.at(-1)?.checksums?.[0]?.checksumValue).toBe(digestOf('a program'))
    const musl = packages.find(({ name }: { name?: string }) => name === 'musl-dev')
    expect(musl).toMatchObject({
      checksums: [{ checksumValue: blocks.linked[0]?.sha256 }],
      sourceInfo: expect.stringMatching(/^built package from: musl 1\./),
      licenseDeclared: expect.stringMatching(/\bMIT\b/),
    })
  })
})
