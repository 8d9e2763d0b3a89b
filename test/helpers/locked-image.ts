import { join } from 'node:path'
import { readAssets } from '../../builder/assets.ts'
import { lockedIn } from '../../builder/context.ts'
import type { Architecture } from '../../images/architecture.ts'
import { type Derivation, dependencies } from '../../images/derivation.ts'
import type { Image } from '../../images/image.ts'
import type { Lock } from '../../images/lock.ts'
import type { SourceRequest } from '../../images/locked-file.ts'
import { deviceSources } from '../../overlays/device/manifest.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { ANY_CERTIFICATES } from './any-certificates.ts'
import { ANY_SECRETS } from './any-secrets.ts'
import { debianLocks } from './debian-locks.ts'
import { planAlone } from './host.ts'
import { PROJECT } from './toolchain.ts'

export const LOCK_FILE = join(PROJECT, 'images/debian.lock.json')

/** The image of a host for a builder of the given architecture, from the project's lock and with a dummy login key. */
export function lockedImage(host: Host, lock: Lock, builder: Architecture): Image {
  return planAlone(host).image({
    ...readAssets(PROJECT, deviceSources()),
    builder,
    sshKeys: ['ssh-ed25519 AAAA nobody'],
    signingKeys: [],
    certificates: ANY_CERTIFICATES,
    secrets: ANY_SECRETS,
    time: lock.time,
    locked: (request: SourceRequest) => lockedIn(debianLocks(lock), request) as never[],
  })
}

/** The derivations of an image by name, each after the derivations that it reads. */
export function derivationsByName({ layers, bootFiles, sbom }: Image): Map<string, Derivation> {
  const found = new Map<string, Derivation>()
  const visit = (derivation: Derivation) => {
    dependencies(derivation).forEach(visit)
    found.set(derivation.name, derivation)
  }
  for (const { derivation } of layers) visit(derivation)
  for (const input of Object.values(bootFiles)) if ('from' in input) visit(input.from)
  visit(sbom)
  return found
}
