import type { Architecture } from '../../architecture.ts'
import type { Leaves } from '../oracle/recipe.ts'
import { makeForeignRoot } from '../parts/foreign-root.ts'
import { leave } from '../parts/listing.ts'

// Makes the root without emulation, as the `base` layer has it before anything is pruned, to be compared with what
// oracle-root makes. Inputs: /in/native, /in/target, /in/accounts. Arguments: builder, target, what to leave.
const [builder, target, leaves] = process.argv.slice(2) as [Architecture, Architecture, Leaves]
const ROOT = '/build/root'

await makeForeignRoot(ROOT, {
  native: '/in/native/debs',
  target: '/in/target/debs',
  accounts: '/in/accounts',
  builder,
  targetArchitecture: target,
})
await leave(ROOT, leaves)
