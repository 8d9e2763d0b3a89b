import type { DataFate } from '../../flash/disk/plan.ts'
import type { DiskTarget } from '../../flash/disk/target.ts'
import type { HostDiskRequest, WrittenDisk } from '../../flash/disk/write-host-disk.ts'
import type { FlashResult } from '../../flash/flash-hosts.ts'
import type { Updated } from '../../flash/update.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { formatColumns } from '../display/table.ts'
import { diskLines } from './disk.ts'
import { type Generations, nameGeneration } from './generation.ts'
import { planText } from './plan.ts'

/** The result of one host, or its plan. */
export function flashText(result: FlashResult, generations: Generations): string {
  const { host } = result
  return result.mode === 'dry-run' ? planText(host, result.steps) : updateText(host, result.updated, generations)
}

export function updateText(host: string, updated: Updated, generations: Generations): string {
  const image = nameGeneration(generations, updated.root)
  if (updated.kind === 'nothing') return `${host}: nothing to do: slot ${updated.slot} runs ${image} and is committed`
  const { slot, sent, total, times } = updated
  const steps = formatColumns(times.map(({ name, seconds }) => [`  ${name}`, formatDuration(seconds * 1000)]))
  const cost = `sent ${formatSize(sent)}, took ${formatDuration(total * 1000)}`
  switch (updated.kind) {
    case 'renewed':
      return [
        steps,
        `${host}: received its new keys; slot ${slot} runs ${image} and is committed, nothing restarted; ${cost}`,
      ].join('\n')
    case 'staged':
      return [
        steps,
        `${host}: slot ${slot} holds ${image}, but the host still boots the other slot; ${cost}`,
        `next: npm run flash ${host}`,
      ].join('\n')
    case 'updated': {
      const down = `services were down for ${formatDuration(updated.downtime * 1000)}`
      return [
        steps,
        `${host}: slot ${slot} runs ${image}, healthy and committed; ${cost}; ${down}`,
        ...updated.waiting.map((service) => `${host}: ${service}`),
        `undo: npm run revert ${host}`,
      ].join('\n')
    }
  }
}

/** The lines before the confirmation of `--disk`. */
export function diskQuestion(
  host: string,
  target: DiskTarget,
  { data, found }: { readonly data: DataFate; readonly found: 'there' | 'none' },
): string[] {
  const except = data === 'keep' ? ' except the data volume' : ''
  const warning = "the disk has a data volume, which will be erased; to keep it: '--keep-data'"
  return [
    ...diskLines(target),
    ...(found === 'there' && data === 'format' ? [warning] : []),
    `${host} will replace everything on this disk${except}`,
  ]
}

export function diskText(request: Pick<HostDiskRequest, 'host' | 'disk' | 'identity'>, written: WrittenDisk): string {
  const { disk, identity } = request
  const host = request.host.name
  const adopt = [
    'the host creates its identity at first boot and shows the fingerprint on its console; adopt it with:',
    `  npm run init ${host} -- --adopt SHA256:…`,
  ]
  return [
    `${host}: wrote ${formatSize(written.bytes)} to ${disk} and read it back in ${formatDuration(written.seconds * 1000)}`,
    ...(identity === 'without' ? adopt : []),
    `next: put the disk into ${host}, switch it on, and run: npm run status ${host}`,
  ].join('\n')
}
