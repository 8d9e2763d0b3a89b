import type { Digest } from '../digest.ts'
import type { Manifest } from '../manifest.ts'
import { packageId } from './describe-packages.ts'
import type { OwnProgram, Part } from './part.ts'
import { type Described, elementId, joined, relationship, type SpdxPackage } from './spdx.ts'

const IMAGE = elementId('image')

/** The image, its layers and the files that boot it, as packages: the digests are those of this build. */
export function describeImage({ host, slot, boot }: Manifest): SpdxPackage[] {
  return [
    ownPackage(IMAGE, host, slot.sha256, {
      versionInfo: slot.root,
      packageFileName: 'slot.img',
      primaryPackagePurpose: 'OPERATING_SYSTEM',
    }),
    ...slot.layers.map(({ name, sha256 }) => {
      const purpose = name.startsWith('container-') ? ({ primaryPackagePurpose: 'CONTAINER' } as const) : {}
      return ownPackage(elementId('layer', name), name, sha256, purpose)
    }),
    ...Object.entries(boot)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { sha256 }]) =>
        ownPackage(elementId('boot', name), name, sha256, { packageFileName: name, primaryPackagePurpose: 'FILE' }),
      ),
  ]
}

/** What is in the image, and in what of it; `programs` has the digests of our own. */
export function describeParts(parts: readonly Part[], programs: ReadonlyMap<string, Digest>): Described {
  const image = relationship('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE)
  return joined([{ packages: [], relationships: [image] }, ...parts.map((part) => describePart(part, programs))])
}

function describePart(part: Part, programs: ReadonlyMap<string, Digest>): Described {
  const id = elementId(part.kind, part.name)
  const relationships = [
    relationship(IMAGE, 'CONTAINS', id),
    ...part.packages.map((item) => relationship(id, part.relation, packageId(item))),
    ...part.programs.map(({ name }) => relationship(id, 'CONTAINS', programId(name))),
  ]
  return joined([{ packages: [], relationships }, ...part.programs.map((each) => describeProgram(each, programs))])
}

function describeProgram({ name, licence, linked }: OwnProgram, programs: ReadonlyMap<string, Digest>): Described {
  const digest = programs.get(name)
  if (digest === undefined) throw new Error(`the program '${name}' is not there`)
  const given = { licenseDeclared: licence, primaryPackagePurpose: 'APPLICATION' } as const
  return {
    packages: [ownPackage(programId(name), name, digest, given)],
    relationships: linked.map((item) => relationship(programId(name), 'STATIC_LINK', packageId(item))),
  }
}

function programId(name: string): string {
  return elementId('program', name)
}

/** What is made here can be had nowhere else. */
function ownPackage(id: string, name: string, sha256: Digest, given: Partial<SpdxPackage>): SpdxPackage {
  return {
    SPDXID: id,
    name,
    downloadLocation: 'NONE',
    filesAnalyzed: false,
    checksums: [{ algorithm: 'SHA256', checksumValue: sha256 }],
    licenseDeclared: 'NOASSERTION',
    ...given,
  }
}
