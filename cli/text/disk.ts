import type { DiskTarget } from '../../flash/disk/target.ts'
import { formatSize } from '../../lib/format.ts'

/** Lines by which a person can recognise a disk. */
export function diskLines(target: DiskTarget): string[] {
  const { path, size } = target
  if (target.kind === 'file') {
    return [`${path}: a file of ${formatSize(size)}${target.state === 'missing' ? ', which does not exist yet' : ''}`]
  }
  const { vendor, model, serial, partitions } = target.device
  const name = [vendor, model, serial && `serial ${serial}`].filter(Boolean).join(' ') || 'a disk without a model name'
  return [
    `${path}: ${name}, ${formatSize(size)}`,
    ...partitions.map(({ name, label, size }) => `  ${name}  ${formatSize(size)}  ${label}`.trimEnd()),
    ...(partitions.length === 0 ? ['  no partitions'] : []),
  ]
}
