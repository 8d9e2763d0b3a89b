import { gzipSync } from 'node:zlib'
import * as openpgp from 'openpgp'
import { SUITES, type Suite } from '../../builder/sources/debian/archive/suites.ts'
import type { Architecture } from '../../images/architecture.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import type { Content } from './file-server.ts'

export interface Signer {
  /** Armored public key. */
  readonly publicKey: string
  sign(text: string, date?: Date): Promise<string>
}

/** Makes an OpenPGP key that is valid from 2026-01-01 for the given number of seconds; 0 means without end. */
export async function signer(validSeconds = 0): Promise<Signer> {
  const { privateKey, publicKey } = await openpgp.generateKey({
    userIDs: [{ name: 'a test archive' }],
    date: new Date('2026-01-01T00:00:00Z'),
    keyExpirationTime: validSeconds,
    format: 'object',
  })
  return {
    publicKey: publicKey.armor(),
    async sign(text, date = NOW) {
      const message = await openpgp.createCleartextMessage({ text })
      return openpgp.sign({ message, signingKeys: privateKey, date })
    },
  }
}

/** The current time in the tests. */
export const NOW = new Date('2026-06-01T12:00:00Z')

export interface TestPackage {
  readonly name: string
  readonly version?: string
  /** The suite; the default is `trixie`. */
  readonly suite?: string
  readonly architecture?: 'amd64' | 'arm64' | 'all'
  /** Further fields: `Depends`, `Provides`, `Essential`, … */
  readonly fields?: Readonly<Record<string, string>>
}

export interface ArchiveOptions {
  readonly signer: Signer
  readonly date?: string
  /** Valid-Until of suites other than `trixie`, which has none in Debian's archives either. */
  readonly validUntil?: string
}

/** The files of a mirror of both archives: path below `debian/` or `debian-security/` -> content. */
export async function smallArchive(
  packages: readonly TestPackage[],
  options: ArchiveOptions,
): Promise<Map<string, Content>> {
  const files = new Map<string, Content>()
  for (const item of packages) files.set(`${suiteOf(item).archive}/${poolPath(item)}`, packageBytes(item))
  for (const suite of SUITES) {
    const below = `${suite.archive}/dists/${suite.name}`
    const sums: string[] = []
    for (const architecture of ['amd64', 'arm64'] as const) {
      const bytes = gzipSync(packagesText(packages, suite, architecture))
      const path = `main/binary-${architecture}`
      files.set(`${below}/${path}/Packages.gz`, bytes)
      files.set(`${below}/${path}/by-hash/SHA256/${digestOf(bytes)}`, bytes)
      sums.push(` ${digestOf(bytes)} ${bytes.length} ${path}/Packages.gz`)
    }
    files.set(`${below}/InRelease`, Buffer.from(await options.signer.sign(releaseText(suite, sums, options))))
  }
  return files
}

export function releaseText(
  suite: Suite,
  sums: readonly string[],
  { date, validUntil }: Omit<ArchiveOptions, 'signer'>,
): string {
  const backports = suite.name.endsWith('-backports')
  const vendor = backports ? 'Debian Backports' : 'Debian'
  const lines = [
    `Origin: ${vendor}`,
    `Label: ${suite.archive === 'debian-security' ? 'Debian-Security' : vendor}`,
    `Suite: ${suite.name.replace('trixie', 'stable')}`,
    `Codename: ${suite.name}`,
    `Date: ${date ?? 'Mon, 01 Jun 2026 08:00:00 UTC'}`,
    ...(suite.name === 'trixie' ? [] : [`Valid-Until: ${validUntil ?? 'Mon, 08 Jun 2026 08:00:00 UTC'}`]),
    ...(backports ? ['NotAutomatic: yes', 'ButAutomaticUpgrades: yes'] : []),
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...sums,
  ]
  return `${lines.join('\n')}\n`
}

/** The `Packages` file of a suite. */
export function packagesText(packages: readonly TestPackage[], suite: Suite, architecture: Architecture): string {
  return packages
    .filter((item) => suiteOf(item) === suite && ['all', architecture].includes(architectureOf(item)))
    .map(paragraph)
    .join('\n')
}

/** The path of a package's file, its digest and its size. */
export function poolFile(item: TestPackage): { path: string; sha256: Digest; size: number } {
  const bytes = packageBytes(item)
  return { path: poolPath(item), sha256: digestOf(bytes), size: bytes.length }
}

function paragraph(item: TestPackage): string {
  const { path, sha256, size } = poolFile(item)
  const fields = {
    Package: item.name,
    Version: item.version ?? '1.0-1',
    Architecture: architectureOf(item),
    ...item.fields,
    Filename: path,
    Size: String(size),
    SHA256: sha256,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}

function poolPath(item: TestPackage): string {
  const version = (item.version ?? '1.0-1').replace(/^\d+:/, '')
  return `pool/main/${item.name}_${version}_${architectureOf(item)}.deb`
}

/** Not a real .deb: no test unpacks it. */
function packageBytes(item: TestPackage): Buffer {
  return Buffer.from(`${item.name} ${item.version ?? '1.0-1'} ${architectureOf(item)}\n`)
}

function architectureOf({ architecture = 'arm64' }: TestPackage): string {
  return architecture
}

function suiteOf({ suite = 'trixie' }: TestPackage): Suite {
  const found = SUITES.find(({ name }) => name === suite)
  if (found === undefined) throw new Error(`no suite '${suite}'`)
  return found
}
