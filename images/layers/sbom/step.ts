import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { digestOf } from '../../digest.ts'
import { describePackages } from '../../sbom/describe-packages.ts'
import { describeParts } from '../../sbom/describe-parts.ts'
import { REST_FILE, restText } from '../../sbom/document.ts'
import { factsOf } from '../../sbom/facts.ts'
import type { Part } from '../../sbom/part.ts'
import { joined } from '../../sbom/spdx.ts'
import type { PackageStatement } from '../../sbom/statement.ts'
import { unpackDebs } from '../parts/deb.ts'
import { statementOf } from '../parts/statements.ts'

// Makes the SBOM but for its beginning. Inputs: /in/parts.json, /in/stated (what steps left of the packages that they
// unpacked), /in/debs (packages that none of them did), /in/programs (our own).
const ROOT = '/build/root'

const parts = JSON.parse(readFileSync('/in/parts.json', 'utf8')) as Part[]
const unpacked = await unpackDebs(filesIn('/in/debs'), ROOT)
const stated = filesIn('/in/stated').flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as PackageStatement[])
const facts = factsOf([...stated, ...unpacked.map((deb) => statementOf(ROOT, deb))])
const programs = new Map(
  filesIn('/in/programs').map((file) => [file.replace('/in/programs/', ''), digestOf(readFileSync(file))]),
)
const packages = parts.flatMap((part) => [...part.packages, ...part.programs.flatMap(({ linked }) => linked)])
const described = joined([describeParts(parts, programs), describePackages(packages, facts)])
writeFileSync(`/out/${REST_FILE}`, restText(described, facts.licences))

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .sort()
    .map((name) => `${directory}/${name}`)
}
