import { deviceSources } from '../../../overlays/device/manifest.ts'
import { labHost } from '../../../overlays/host-services.ts'
import { platform } from '../platform.ts'
import { budgetOf } from './budget.ts'
import { checkPi } from './check.ts'
import { imageOf, npmRequests, renderPi, setsOf } from './image-of.ts'
import { PI_BOARDS, piInLab, piSchema } from './schema.ts'

/** Raspberry Pi: Debian in two slots under dm-verity, tried with tryboot, with services in containers. */
export const pi = platform({
  name: 'pi',
  boards: PI_BOARDS,
  deviceSources: deviceSources(),
  schema: piSchema,
  inLab: piInLab,
  labHost,
  render: renderPi,
  check: checkPi,
  budget: budgetOf,
  inputs: (rendered, builder) => [...setsOf(rendered, builder), ...npmRequests(rendered)],
  image: imageOf,
})
