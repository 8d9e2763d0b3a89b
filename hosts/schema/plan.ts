import type { Host } from '../../overlays/host-facts.ts'
import { planWith } from '../platforms/platform.ts'
import { PLATFORMS } from '../platforms/registry.ts'

/** The plan of a host for the builder: the inputs to lock, and the image. Throws a UserError for a host that cannot work. */
export function planOf(host: Host) {
  return planWith(platformOf(host), host)
}

/** The platform of a host's board. */
export function platformOf({ board }: Pick<Host, 'board'>) {
  const found = PLATFORMS.find(({ boards }) => boards.includes(board))
  if (found === undefined) throw new Error(`no platform for board '${board}': the schema should have refused it`)
  return found
}
