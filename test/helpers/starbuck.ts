import { lab } from '../../hosts/lab.ts'
import { hostInLab } from '../../hosts/schema/plan.ts'
import { starbuck as declared } from '../../hosts/starbuck.ts'

/** Starbuck, with the values that its host file leaves to the lab. */
export const starbuck = hostInLab(declared, lab)
