import type { ImageContext, Locked } from '../../hosts/platforms/platform.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import { ANY_CERTIFICATES } from './any-certificates.ts'
import { ANY_SECRETS } from './any-secrets.ts'
import { lockedPackage } from './derivation.ts'
import { deviceTexts } from './device-texts.ts'

const STEPS = ['base', 'kernel', 'initramfs', 'container', 'host', 'sbom']

/** What a build knows before it runs a derivation, with packages that have the names of the request. */
export function imageContext(given: Partial<ImageContext> = {}): ImageContext {
  return {
    builder: 'amd64',
    steps: Object.fromEntries(STEPS.map((name) => [name, `// ${name}`])),
    deviceFiles: deviceTexts(),
    sshKeys: ['ssh-ed25519 AAAA owner'],
    time: 1_700_000_000,
    signingKeys: [],
    certificates: ANY_CERTIFICATES,
    secrets: ANY_SECRETS,
    // Each locked package has the name of the request, so that the tests can tell sets apart.
    locked: (({ set, architecture }: ArchitectureSet) =>
      [...set.request, ...(VERSIONED[set.name] ?? [])].map((name) =>
        lockedPackage(name.split('/')[0] ?? '', { architecture }),
      )) as unknown as Locked,
    ...given,
  }
}

/** Packages that have the kernel's version in their name. */
const VERSIONED: Readonly<Record<string, readonly string[]>> = {
  kernel: ['linux-image-7.3.4-arm64'],
  native: ['linux-headers-7.3.4-arm64'],
  cross: ['linux-kbuild-7.3.4'],
}
