import type { Architecture } from '../../../images/architecture.ts'
import { makeForeignRoot } from '../../../images/layers/base/foreign-root.ts'
import { writeOutput } from '../listing.ts'
import type { RootOutput } from '../recipe.ts'

// Builds the root of the `base` layer without emulation and without pruning, for the comparison with `emulated-root`.
// Inputs: /in/native, /in/target, /in/accounts. Arguments: builder, target, what to write to /out.
const [builder, target, output] = process.argv.slice(2) as [Architecture, Architecture, RootOutput]
const ROOT = '/build/root'

await makeForeignRoot(ROOT, { builder, target, purpose: 'host' })
await writeOutput(ROOT, output)
