import { z } from 'zod'
import { BOARDS, type Board } from '../../../images/board.ts'
import { grammar } from '../../../images/grammar.ts'
import { GIB } from '../../../images/layout.ts'
import { parseHostName } from '../../../images/names.ts'
import { parseLoginKey, parseSigningKey } from '../../../images/signature/public-key.ts'
import { parseTimeZone, type TimeZone } from '../../../images/time-zone.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import type { LabFacts } from '../../../overlays/lab-facts.ts'
import { type DeclaredNetwork, networkSchema } from '../../schema/network.ts'
import { networkInLab } from '../../schema/network-in-lab.ts'
import { hostServices, servicesSchema } from '../../schema/services.ts'
import { diskSize, memorySize, slotSize } from '../../schema/sizes.ts'

export const PI_BOARDS = Object.keys(BOARDS) as [Board['name']]

const fields = z.strictObject({
  /** The machine's name and host name: lower-case letters, digits, hyphens. */
  name: grammar(parseHostName),
  /** The kind of hardware. */
  board: z.enum(PI_BOARDS),
  /** The machine's memory: '4 GiB'. */
  memory: memorySize,
  /** The size that the disk is sold with: '64 GB'. */
  disk: diskSize,
  /**
   * The size of each of the two slots. It cannot change later. Default: 8 GiB, or 24 GiB on disks larger than 128 GB.
   */
  slotSize: slotSize.optional(),
  /** Raise this number to make a host accept a new image of the same lock as newer. */
  number: z.number().int().nonnegative().default(1),
  /** A name from /usr/share/zoneinfo: 'Europe/Zurich'. */
  timezone: grammar(parseTimeZone).default('Etc/UTC' as TimeZone),
  /** The machine's fixed addresses in the lab. */
  network: networkSchema,
  /** Access by ssh. */
  ssh: z
    .strictObject({
      /** Public keys that may log in, in addition to the owner's key: 'ssh-ed25519 AAAA… name'. */
      keys: z.array(grammar(parseLoginKey)).default([]),
    })
    .prefault({}),
  /** Updates that the host accepts. */
  updates: z
    .strictObject({
      /** Public keys that may sign images, in addition to the key that signed the running image: 'ssh-ed25519 AAAA… name'. */
      signingKeys: z.array(grammar(parseSigningKey)).default([]),
    })
    .prefault({}),
  /** The menu on the screen and on the serial cable. */
  console: z
    .strictObject({
      /** 'root': the console menu offers a root shell, without a password. 'none': the menu offers no shell. */
      shell: z.enum(['none', 'root']).default('none'),
    })
    .prefault({}),
  /** The services that the machine runs: name -> limits and options. */
  services: servicesSchema,
})

/** A Raspberry Pi as its host file declares it, with all defaults but those of the lab. */
export type DeclaredPi = Omit<Host, 'network'> & { readonly network: DeclaredNetwork }

/** The host file of a Raspberry Pi. */
export const piSchema = fields.transform(
  ({ services, ...rest }): DeclaredPi => ({
    ...rest,
    slotSize: rest.slotSize ?? (rest.disk > 128e9 ? 24 * GIB : 8 * GIB),
    services: hostServices(services),
  }),
)

/** A Raspberry Pi in its lab, which has the values that the host file leaves out. */
export function piInLab(declared: DeclaredPi, facts: LabFacts): Host {
  return { ...declared, network: networkInLab(declared.name, declared.network, facts) }
}
