import { type FileTree, file } from '../../images/tree.ts'
import type { LabFacts } from '../lab-facts.ts'

/** The lab's time servers. Without any, systemd-timesyncd asks Debian's pool, which is its default. */
export function timeFiles({ timeServers }: Pick<LabFacts, 'timeServers'>): FileTree {
  if (timeServers.length === 0) return {}
  return { '/etc/systemd/timesyncd.conf.d/lab.conf': file(`[Time]\nNTP=${timeServers.join(' ')}\n`) }
}
