import { UserError } from '../../errors.ts'
import { withoutMachineFiles } from './purpose.ts'

/** What an owner can do instead, when a package cannot be in the base layer. */
const CONTAINER = 'run it as a container, with its data on a volume'
const FIRST_START =
  'leave it out, and make the file on the host at its first start, with a unit that writes below /data'

/**
 * Packages whose maintainer scripts make something that belongs to one machine: in an image, every host would have the
 * same, and everybody could read it. The step finds such scripts itself too, but only after it has unpacked all packages.
 */
const UNSUITABLE: readonly (readonly [pattern: RegExp, makes: string, instead: string])[] = [
  [/^ssl-cert$/, 'a private key and its certificate', FIRST_START],
  [/^freeradius(-config)?$/, 'a private key and DH parameters', CONTAINER],
  [/^postgresql(-\d+)?$/, 'a database cluster', CONTAINER],
  [/^(default-mysql|mariadb|mysql)-server(-core)?(-\d.*)?$/, 'a database', CONTAINER],
  [/^slapd$/, 'a database with a random password', CONTAINER],
  [/^ejabberd$/, 'a private key and its certificate', CONTAINER],
  [/^rabbitmq-server$/, 'a secret cookie', CONTAINER],
  [/^(mailman3|phpmyadmin|roundcube-core)$/, 'a random password', CONTAINER],
  [/^bind9$/, 'a key for rndc', CONTAINER],
  [/^nsd$/, 'keys for nsd-control', CONTAINER],
  [/^dropbear-initramfs$/, 'host keys', FIRST_START],
  [/^open-iscsi$/, 'a random initiator name', FIRST_START],
  [/^nvme-cli$/, 'a random id of the host', FIRST_START],
  [/^popularity-contest$/, 'a random id of the host', 'leave it out'],
  [/^clamav-freshclam$/, 'a random time of day', CONTAINER],
  [/^mdadm$/, "a configuration with the date and the builder's disks", FIRST_START],
]

/** Throws 'carry' if one of the packages of the base makes something that belongs to one machine. */
export function requireSuitable(packages: readonly Named[]): void {
  const found = unsuitable(packages)
  if (found.length === 0) return
  const ways = [...new Set(found.map(({ instead }) => instead))].map((way) => {
    const names = found.filter(({ instead }) => instead === way).map(({ name }) => name)
    return `${names.join(', ')}: ${way}`
  })
  throw new UserError(
    'carry',
    `the base layer cannot have these packages, because their scripts run on the builder: ${described(found)}`,
    { hint: ways.join('; ') },
  )
}

/** Throws 'carry' if a script that runs for a container makes something that belongs to one machine. */
export function requireSuitableScripts(
  service: string,
  packages: readonly Named[],
  withoutScripts: readonly string[],
): void {
  const found = unsuitable(packages.filter((item) => !withoutScripts.includes(item.package)))
  if (found.length === 0) return
  const names = found.map(({ name }) => name)
  throw new UserError(
    'carry',
    `container '${service}' cannot have what the scripts of these packages make, because they run on the builder: ${described(found)}`,
    { hint: withoutMachineFiles(names, 'container') },
  )
}

interface Named {
  readonly package: string
}

interface Unsuitable {
  readonly name: string
  readonly makes: string
  readonly instead: string
}

function unsuitable(packages: readonly Named[]): Unsuitable[] {
  const names = [...new Set(packages.map((item) => item.package))]
  return UNSUITABLE.flatMap(([pattern, makes, instead]) =>
    names.filter((name) => pattern.test(name)).map((name) => ({ name, makes, instead })),
  )
}

function described(found: readonly Unsuitable[]): string {
  return found.map(({ name, makes }) => `'${name}' makes ${makes}`).join('; ')
}
