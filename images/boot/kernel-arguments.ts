/**
 * The kernel's command line but for the root hash. The same on a board and in the virtual machine: of the serial
 * consoles each has one (ttyAMA10 is the Pi 5's debug connector, ttyAMA0 QEMU's), and tty1 is the screen.
 */
export const KERNEL_ARGUMENTS: readonly string[] = [
  'console=tty1',
  'console=ttyAMA10,115200',
  'console=ttyAMA0,115200',
  // A kernel that panics reboots, and with that leaves a trial.
  'panic=10',
  'oops=panic',
  'loglevel=4',
]
