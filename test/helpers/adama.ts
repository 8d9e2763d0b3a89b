import { adama as declared } from '../../hosts/adama.ts'
import { lab } from '../../hosts/lab.ts'
import { hostInLab } from '../../hosts/schema/plan.ts'

/** Adama, with the values that its host file leaves to the lab. */
export const adama = hostInLab(declared, lab)
