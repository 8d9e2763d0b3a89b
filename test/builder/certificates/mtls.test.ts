import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ensureCertificates } from '../../../builder/certificates/ensure.ts'
import type { Signer } from '../../../builder/certificates/x509.ts'
import { openSecret } from '../../../builder/secrets/secret-store.ts'
import {
  type CertificateNeed,
  certificateKeySecret,
  parseCertificateSubject,
} from '../../../images/certificates/need.ts'
import { certificateHost, certificateLab, certificateNeed } from '../../helpers/certificate-lab.ts'
import { type BadPair, badClients, badServers, projectAuthority, type TlsPair } from '../../helpers/mtls.ts'

const SERVER = certificateNeed({ usages: ['server'] })
const CLIENT = certificateNeed({
  subject: parseCertificateSubject('zigbee2mqtt'),
  usages: ['client'],
  names: { dns: [], addresses: [] },
})
const NAME = 'mosquitto.lab'

/** A lab with a server and a client, as a build makes them today. */
async function tlsLab(directory: string) {
  const lab = { ...(await certificateLab(directory)), now: new Date() }
  const hosts = await ensureCertificates(lab, [certificateHost(SERVER, CLIENT)])
  const { ca = '', issued = {} } = hosts.get('tiny') ?? {}
  const pair = async (need: CertificateNeed): Promise<TlsPair> => ({
    cert: issued[need.subject] ?? '',
    key: await openSecret(lab, certificateKeySecret(need)),
  })
  const signer = await projectAuthority(lab.project, lab.env)
  return { ca, server: await pair(SERVER), client: await pair(CLIENT), signer }
}

interface Attempt {
  readonly ca: string
  readonly server: TlsPair
  readonly client: TlsPair | undefined
  readonly name?: string
  /** Node's server gives no reason when it refuses a client. A server that admits every client knows the reason. */
  readonly admit?: 'authorized' | 'all'
}

/** Connects over TLS. Returns the subject that the server sees, or 'refused' by the side that ends the connection. */
async function attempt({ ca, server: own, client, name = NAME, admit = 'authorized' }: Attempt): Promise<string> {
  const options = { ...own, ca, requestCert: true, rejectUnauthorized: admit === 'authorized' }
  const server = createServer(options, (socket) => {
    socket.on('error', () => {})
    const { subject } = socket.getPeerCertificate()
    socket.end(socket.authorized ? `hello ${subject.CN}` : `unauthorized: ${socket.authorizationError}`)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = connect({ host: '127.0.0.1', port, ca, servername: name, ...client })
  return answerOf(socket)
}

async function answerOf(socket: TLSSocket): Promise<string> {
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.on('error', resolve)
    socket.on('close', () => resolve(undefined))
  })
  socket.destroy()
  return answer !== '' ? answer : `refused: ${error?.code ?? 'closed'}`
}

let lab: Awaited<ReturnType<typeof tlsLab>>
const bad: { clients: BadPair[]; servers: BadPair[] } = { clients: [], servers: [] }

const pairOf = (from: readonly BadPair[], why: string) => {
  const found = from.find((each) => each.why === why)
  if (found === undefined) throw new Error(`no pair with ${why}`)
  return found.pair
}

describe('TLS with client certificates', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-test-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  beforeAll(async () => {
    lab = await tlsLab(directory)
    const signer: Signer = lab.signer
    bad.clients = await badClients(signer, CLIENT.subject)
    bad.servers = await badServers(signer, NAME)
  })

  it.each([NAME, 'tiny', 'tiny.lab', 'localhost'])('connects a client of the lab to the name %s', async (name) => {
    expect(await attempt({ ...lab, name })).toBe('hello zigbee2mqtt')
  })

  it.each([
    ['no certificate', 'UNABLE_TO_GET_ISSUER_CERT'],
    ["another CA's certificate", 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['a certificate that it signed itself', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['an expired certificate', 'CERT_HAS_EXPIRED'],
    ['a certificate that is not valid yet', 'CERT_NOT_YET_VALID'],
    ["a server's certificate", 'INVALID_PURPOSE'],
  ])('a server refuses a client with %s', async (why, code) => {
    const client = pairOf(bad.clients, why)
    expect(await attempt({ ...lab, client })).toMatch(/^refused/)
    expect(await attempt({ ...lab, client, admit: 'all' })).toBe(`unauthorized: ${code}`)
  })

  it.each([
    ["another CA's certificate", 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', 'CERT_HAS_EXPIRED'],
    ['another name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['no name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ["a client's certificate", 'INVALID_PURPOSE'],
  ])('a client refuses a server with %s', async (why, code) => {
    const server = pairOf(bad.servers, why)
    if (server === undefined) throw new Error('a server needs a certificate')
    expect(await attempt({ ...lab, server })).toBe(`refused: ${code}`)
  })

  it('a client refuses a server under a name that its certificate does not have', async () => {
    expect(await attempt({ ...lab, name: 'grafana.lab' })).toBe('refused: ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it("a client's certificate cannot serve, and a server's certificate cannot connect", async () => {
    expect(await attempt({ ...lab, server: lab.client })).toMatch(/^refused/)
    expect(await attempt({ ...lab, client: lab.server })).toMatch(/^refused/)
  })
})
