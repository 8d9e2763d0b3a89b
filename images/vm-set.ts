import type { PackageSet } from './package-set.ts'
import { SCRIPT_ONLY } from './sets.ts'

/** The emulator for `npm run vm`, and the ssh client that the VM's tests log in with. */
export const VM: PackageSet = {
  name: 'vm',
  request: ['qemu-system-arm', 'openssh-client'],
  essential: 'left-out',
  // QEMU's common and data packages hold firmware of other machines and plug-ins for sound, screens and USB; the virt
  // machine with a kernel given needs none of them. Nobody logs in with SASL or uses legacy ciphers.
  assumed: [...SCRIPT_ONLY, 'qemu-system-common', 'qemu-system-data', 'libsasl2-modules-db', 'openssl-provider-legacy'],
}
