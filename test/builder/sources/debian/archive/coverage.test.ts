import { beforeAll, describe, expect, it } from 'vitest'
import { coverages } from '../../../../../builder/sources/debian/archive/coverage.ts'
import { fetchObjects } from '../../../../../builder/sources/debian/archive/fetch.ts'
import { SUITES, type Wanted } from '../../../../../builder/sources/debian/archive/suites.ts'
import { GoneError } from '../../../../../builder/sources/source.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import { digestOf } from '../../../../../images/digest.ts'
import { type Content, type FileServer, fileServer, type Handler } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { NOW, releaseText, type Signer, signer, smallArchive } from '../../../../helpers/small-archive.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const LOCKED = 'Mon, 01 Jun 2026 08:00:00 UTC'
const EARLIER = 'Sun, 31 May 2026 08:00:00 UTC'
const NOWHERE = 'http://127.0.0.1:9/debian'

let debian: Signer
let vendor: Signer
beforeAll(async () => {
  debian = await signer()
  vendor = await signer()
})

const wantedFor = (path: string): Wanted => ({ archive: 'debian', path, sha256: digestOf(path), size: path.length })
const DELETED = wantedFor('pool/main/deleted_1.0_arm64.deb')

/** A mirror of Debian without the wanted files. */
async function mirror(change: (files: Map<string, Content>) => unknown = () => undefined): Promise<FileServer> {
  const files = await smallArchive([], { signer: debian })
  await change(files)
  return fileServer(files)
}

/** The repository of another vendor at a path that ends with `debian`. */
async function vendorRepository(files: Iterable<readonly [string, Content]> = []): Promise<FileServer> {
  const text = releaseText({ archive: 'debian', name: 'trixie' }, [], {}).replace('Origin: Debian', 'Origin: Vendor')
  return fileServer([['debian/dists/trixie/InRelease', Buffer.from(await vendor.sign(text))], ...files])
}

async function fetchFrom(mirrors: readonly string[], wanted: readonly Wanted[] = [DELETED]) {
  const known = Object.fromEntries(SUITES.map(({ archive, name }) => [`${archive}/${name}`, LOCKED]))
  const store = await openStore(await tempDirectory())
  const fetching = fetchObjects(wanted, {
    ...{ store, reporter: listReporter(), backoff: 1 },
    ...{ mirrors: { debian: mirrors, 'debian-security': [] } },
    coverage: coverages(async () => ({ keyring: debian.publicKey, now: NOW, known })),
  })
  const error: Error | undefined = await fetching.then(
    () => undefined,
    (each) => each,
  )
  return { error, isGone: error instanceof GoneError }
}

const at = ({ url }: FileServer) => `${url}/debian`

describe('a locked file is gone', () => {
  it('when a mirror of the whole archive lacks it', async () => {
    expect((await fetchFrom([at(await mirror())])).isGone).toBe(true)
  })

  it('when such a mirror lacks it, and other servers do not answer or are no mirrors', async () => {
    const mirrors = [NOWHERE, at(await vendorRepository()), at(await mirror())]
    expect((await fetchFrom(mirrors)).isGone).toBe(true)
  })
})

describe('a locked file is not gone', () => {
  const answering =
    (status: number, headers = {}, text = ''): Handler =>
    (_, response) =>
      void response.writeHead(status, headers).end(text)
  const page = '<html>please log in</html>'
  const html = { 'content-type': 'text/html' }
  const replaced = (name: string, content: Content | undefined) => (files: Map<string, Content>) => {
    const key = `debian/dists/${name}`
    if (content === undefined) files.delete(key)
    else files.set(key, content)
  }

  it.each<[string, () => Promise<string>]>([
    ["when only another vendor's repository lacks it", async () => at(await vendorRepository())],
    ['when a server without any suite lacks it', async () => at(await fileServer())],
    ['when no server answers', async () => NOWHERE],
    [
      'when the mirror lacks one suite',
      async () => at(await mirror(replaced('trixie-backports/InRelease', undefined))),
    ],
    [
      'when the mirror lacks the packages of its architecture',
      async () => at(await mirror(replaced('trixie/main/binary-arm64/Packages.gz', undefined))),
    ],
    [
      'when the mirror is older than the lock',
      async () => {
        const older = async (files: Map<string, Content>) => {
          for (const each of await smallArchive([], { signer: debian, date: EARLIER })) files.set(...each)
        }
        return at(await mirror(older))
      },
    ],
    [
      'when the release of the mirror has expired',
      async () => {
        const expired = async (files: Map<string, Content>) => {
          for (const each of await smallArchive([], { signer: debian, validUntil: LOCKED })) files.set(...each)
        }
        return at(await mirror(expired))
      },
    ],
    ['when the release cannot be fetched', async () => at(await mirror(replaced('trixie/InRelease', answering(503))))],
    [
      'when a login page answers for the server',
      async () =>
        at(
          await mirror((files) =>
            [DELETED.path, 'dists/trixie/InRelease'].map((path) =>
              files.set(`debian/${path}`, answering(200, html, page)),
            ),
          ),
        ),
    ],
    [
      'when a login page answers with 404',
      async () => at(await mirror(replaced('trixie/InRelease', answering(200, html, page)))),
    ],
    ...[401, 403, 407, 429, 500, 502, 503, 504].map((status): [string, () => Promise<string>] => [
      `when the server answers ${status}`,
      async () => at(await mirror((files) => files.set(`debian/${DELETED.path}`, answering(status)))),
    ]),
  ])('%s', async (_, make) => {
    const { error, isGone } = await fetchFrom([await make()])
    expect([error?.message, isGone]).toEqual([expect.stringContaining(`cannot fetch '${DELETED.path}'`), false])
  })

  it('the message shows no password of a mirror', async () => {
    const { url } = await vendorRepository()
    const { error } = await fetchFrom([`${url.replace('//', '//me:secret@')}/debian`])
    expect(error?.message).toContain('the server is no mirror of Debian (http://me:***@')
    expect(error?.message).not.toContain('secret')
  })

  it('the message names the server, and why it does not count', async () => {
    const repository = await vendorRepository()
    const { error } = await fetchFrom([at(repository)])
    expect(error?.message).toContain(
      `${at(repository)}/${DELETED.path}: HTTP 404 Not Found; the server is no mirror of Debian (${at(repository)}/dists/trixie/InRelease: is a release of 'Vendor' (label 'Debian'), wanted one of 'Debian')`,
    )
  })
})

describe('the requests to a server', () => {
  it("another vendor's repository gets no further request after its first missing file", async () => {
    const files = Array.from({ length: 100 }, (_, index) => `pool/main/${index}_1_arm64.deb`)
    const repository = await vendorRepository()
    const good = await fileServer(files.map((path) => [`debian/${path}`, Buffer.from(path)]))
    expect((await fetchFrom([at(repository), at(good)], files.map(wantedFor))).error).toBeUndefined()
    const asked = repository.requests.filter((path) => path.includes('/pool/'))
    expect(asked.length).toBeLessThanOrEqual(16)
    expect(repository.requests.filter((path) => path.includes('InRelease'))).toHaveLength(1)
  })

  it('a mirror is not asked for releases while it has every file', async () => {
    const good = await mirror((files) => files.set(`debian/${DELETED.path}`, Buffer.from(DELETED.path)))
    expect((await fetchFrom([at(good)])).error).toBeUndefined()
    expect(good.requests).toEqual([`debian/${DELETED.path}`])
  })
})
