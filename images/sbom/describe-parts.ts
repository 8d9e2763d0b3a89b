import type { Digest } from '../digest.ts'
import type { Manifest } from '../manifest.ts'
import { npmIds } from './describe-npm.ts'
import { packageId } from './describe-packages.ts'
import type { OwnProgram, Part } from './part.ts'
import { type Described, elementId, joined, relationship, type SpdxPackage } from './spdx.ts'

const IMAGE = elementId('image')

/** Describes the image, its layers and its boot files as packages, with the digests of this build. */
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

/** Describes which packages and programs each part contains. `programs` has the digests of our own programs. */
export function describeParts(parts: readonly Part[], programs: ReadonlyMap<string, Digest>): Described {
  const image = relationship('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE)
  return joined([{ packages: [], relationships: [image] }, ...parts.map((part) => describePart(part, programs))])
}

function describePart(part: Part, programs: ReadonlyMap<string, Digest>): Described {
  const id = elementId(part.kind, part.name)
  const relationships = [
    relationship(IMAGE, 'CONTAINS', id),
    ...part.packages.map((item) => relationship(id, part.relation, packageId(item))),
    ...npmIds(part.npm ?? []).map((each) => relationship(id, part.relation, each)),
    ...part.programs.map(({ name }) => relationship(id, 'CONTAINS', programId(name))),
  ]
  return joined([{ packages: [], relationships }, ...part.programs.map((each) => describeProgram(each, programs))])
}

function describeProgram({ name, licence, linked }: OwnProgram, programs: ReadonlyMap<string, Digest>): Described {
  const digest = programs.get(name)
  if (digest === undefined) throw new Error(`the SBOM step has no program '${name}' among its inputs`)
  const given = { licenseDeclared: licence, primaryPackagePurpose: 'APPLICATION' } as const
  return {
    packages: [ownPackage(programId(name), name, digest, given)],
    relationships: linked.map((item) => relationship(programId(name), 'STATIC_LINK', packageId(item))),
  }
}

function programId(name: string): string {
  return elementId('program', name)
}

/** A package that hangar builds. It has no download location. */
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
