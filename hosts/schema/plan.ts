import type { Host } from '../../overlays/host-facts.ts'
import { planWith } from '../platforms/platform.ts'
import { PLATFORMS } from '../platforms/registry.ts'

/** The plan of a host for the builder: the inputs to lock, and the image. Throws a UserError for a host that cannot work. */
export function planOf(host: Host) {
  const found = PLATFORMS.find(({ boards }) => boards.includes(host.board))
  if (found === undefined) throw new Error(`no platform for board '${host.board}': the schema should have refused it`)
  return planWith(found, host)
}
