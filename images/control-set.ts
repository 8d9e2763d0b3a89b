import type { PackageSet } from './package-set.ts'
import { SCRIPT_ONLY } from './sets.ts'

/** What a controller runs on its own machine to reach a host: nothing of it has to be installed there. */
export const CONTROL: PackageSet = {
  name: 'control',
  request: ['openssh-client', 'zstd'],
  essential: 'left-out',
  // Nobody logs in with a smart card's middleware or uses legacy ciphers.
  assumed: [...SCRIPT_ONLY, 'openssl-provider-legacy'],
}
