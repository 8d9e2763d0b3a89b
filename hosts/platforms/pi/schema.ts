import { z } from 'zod'
import { BOARDS, type Board } from '../../../images/board.ts'
import { GIB } from '../../../images/layout.ts'
import { parseHostName } from '../../../images/names.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { hostServices, servicesSchema } from '../../schema/services.ts'
import { diskSize, memorySize, slotSize } from '../../schema/sizes.ts'
import { checkTimezone } from '../../schema/timezone.ts'

export const PI_BOARDS = Object.keys(BOARDS) as [Board['name']]

const ipv4 = z.ipv4({ error: (issue) => `'${String(issue.input)}' is not an IPv4 address such as '10.0.10.1'` })

const WANTED_KEY = "wanted a public key such as 'ssh-ed25519 AAAA… name'"

const fields = z.strictObject({
  /** The machine's name and host name: lower-case letters, digits, hyphens. */
  name: z.string(),
  /** The kind of hardware. */
  board: z.enum(PI_BOARDS),
  /** The machine's memory: '4 GiB'. */
  memory: memorySize,
  /** The size that the disk is sold with: '64 GB'. */
  disk: diskSize,
  /** The space for one generation. It cannot change later. Default: 8 GiB, or 24 GiB on disks larger than 128 GB. */
  slotSize: slotSize.optional(),
  /** Orders images of the same lock: raise the number so that the host accepts the new image as newer. */
  number: z.number().int().nonnegative().default(1),
  /** A name from /usr/share/zoneinfo: 'Europe/Zurich'. */
  timezone: z.string().superRefine(checkTimezone).default('Etc/UTC'),
  /** The machine's fixed address in the lab. */
  network: z.strictObject({
    /** The machine's address and the prefix length of its network: '10.0.10.11/24'. */
    address: z.cidrv4({
      error: (issue) => `'${String(issue.input)}' is not an address with a prefix length such as '10.0.10.11/24'`,
    }),
    /** The router's address. */
    gateway: ipv4,
    /** Name servers. Default: the gateway. */
    dns: z.array(ipv4).optional(),
    /** The lab's domain: 'lab'. */
    domain: z.string().default('lab'),
    /** The jump host through which hangar reaches the machine, or 'none'. Default: as in ~/.ssh/config. */
    jump: z.string().optional(),
  }),
  /** Access by ssh. */
  ssh: z
    .strictObject({
      /** Public keys that may log in, in addition to the owner's key: 'ssh-ed25519 AAAA… name'. */
      keys: z.array(z.string().regex(/^(ssh-|ecdsa-|sk-)\S+ \S+/, WANTED_KEY)).default([]),
    })
    .prefault({}),
  /** Updates that the host accepts. */
  updates: z
    .strictObject({
      /** Public keys that may sign images, in addition to the key that signed the running image: 'ssh-ed25519 AAAA… name'. */
      signingKeys: z.array(z.string().regex(/^ssh-ed25519 [A-Za-z0-9+/=]+( .*)?$/, WANTED_KEY)).default([]),
    })
    .prefault({}),
  /** The menu on the screen and on the serial cable. */
  console: z
    .strictObject({
      /** 'root': the menu offers a root shell, without a password. 'none': it offers no shell. */
      shell: z.enum(['none', 'root']).default('none'),
    })
    .prefault({}),
  /** The services that the machine runs: name -> limits and options. */
  services: servicesSchema,
})

/** The host file of a Raspberry Pi. */
export const piSchema = fields.transform(({ services, network, ...rest }): Host => {
  const [address = '', prefix = ''] = network.address.split('/')
  return {
    ...rest,
    name: parseHostName(rest.name),
    slotSize: rest.slotSize ?? (rest.disk > 128e9 ? 24 * GIB : 8 * GIB),
    network: { ...network, address, prefix: Number(prefix), dns: network.dns ?? [network.gateway] },
    services: hostServices(services),
  }
})
