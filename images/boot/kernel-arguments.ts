/**
 * The kernel's command line but for the root hash; the same on a board and in the virtual machine. No `console=`: the
 * device tree names the serial console of each (the Pi 5's debug connector is ttyAMA10, QEMU's ttyAMA0), and of two
 * such names on the command line the kernel takes the first one only, whether it is there or not. The screen comes along.
 */
export const KERNEL_ARGUMENTS: readonly string[] = [
  // A kernel that panics reboots, and with that leaves a trial.
  'panic=10',
  'oops=panic',
  'loglevel=4',
  // Services are small and many: a huge page in each is memory that none of them asked for.
  'transparent_hugepage=madvise',
]
