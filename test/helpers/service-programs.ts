import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import { MULTIARCH } from '../../images/architecture.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { SCRIPT_ONLY } from '../../images/sets.ts'
import { lockedPrograms } from './test-programs.ts'

/** The programs of services, and the servers that they talk to: an ACME server, and a DNS server that takes updates. */
const SERVICES: PackageSet = {
  name: 'services',
  request: ['busybox-static', 'caddy', 'knot', 'lego', 'mosquitto', 'mosquitto-clients', 'openssl', 'pebble'],
  essential: 'left-out',
  // The tests install no CA into a browser, and start no unit.
  assumed: [
    ...SCRIPT_ONLY,
    ...['ca-certificates', 'libnss3-tools', 'media-types', 'openssl-provider-legacy', 'gcc-14-base', 'systemd'],
  ],
}

/** The words that start a program of the container's packages, such as `/usr/sbin/mosquitto`, on this machine. */
export async function serviceProgram(path: string): Promise<readonly [string, ...string[]]> {
  programs ??= lockedPrograms(SERVICES)
  return startOf(await programs, path)
}

let programs: Promise<ProgramRoot> | undefined

/** Programs without a loader. */
const STATIC = ['/usr/bin/busybox']

/** The root's own loader starts the program with the libraries of the root. */
function startOf({ directory, architecture }: ProgramRoot, path: string): readonly [string, ...string[]] {
  if (STATIC.includes(path)) return [join(directory, path)]
  const libraries = join(directory, 'usr/lib', MULTIARCH[architecture])
  const loader = readdirSync(libraries).find((name) => /^ld-linux-.*\.so/.test(name))
  if (loader === undefined) throw new Error(`no loader in '${libraries}'`)
  return [join(libraries, loader), '--library-path', libraries, join(directory, path)]
}
