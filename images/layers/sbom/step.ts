import { readFileSync, writeFileSync } from 'node:fs'
import { digestOf } from '../../digest.ts'
import { byId } from '../../sbom/declared.ts'
import { describeNpm } from '../../sbom/describe-npm.ts'
import { describePackages } from '../../sbom/describe-packages.ts'
import { describeParts } from '../../sbom/describe-parts.ts'
import { REST_FILE, restText } from '../../sbom/document.ts'
import { factsOf } from '../../sbom/facts.ts'
import type { Part } from '../../sbom/part.ts'
import { joined } from '../../sbom/spdx.ts'
import type { PackageStatement } from '../../sbom/statement.ts'
import { unpackDebs } from '../parts/deb.ts'
import { inputFiles, inputJson } from '../parts/inputs.ts'
import { runStep } from '../parts/run-step.ts'
import { statementOf } from '../parts/statements.ts'

// Writes the SBOM without its head (see `sbom/document.ts`). Inputs: /in/parts.json, /in/stated (statements of packages
// that other steps unpacked), /in/debs (packages that no other step unpacks), /in/programs (our own).
const ROOT = '/build/root'

await runStep(async () => {
  const parts = inputJson<Part[]>('parts.json')
  const unpacked = await unpackDebs(inputFiles('debs'), ROOT)
  const stated = inputFiles('stated').flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as PackageStatement[])
  const facts = factsOf([...stated, ...unpacked.map((deb) => statementOf(ROOT, deb))])
  const programs = new Map(
    inputFiles('programs').map((file) => [file.replace('/in/programs/', ''), digestOf(readFileSync(file))]),
  )
  const packages = parts.flatMap((part) => [...part.packages, ...part.programs.flatMap(({ linked }) => linked)])
  const npm = describeNpm(parts.flatMap((part) => part.npm ?? []))
  const described = joined([describeParts(parts, programs), describePackages(packages, facts), npm])
  writeFileSync(`/out/${REST_FILE}`, restText(described, byId([...facts.licences, ...npm.licences])))
})
