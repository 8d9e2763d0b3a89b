import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import type { TLSSocket } from 'node:tls'

export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The serial number of the server's certificate. */
  readonly serial: string | undefined
}

export interface Asked {
  readonly port: number
  /** The name of the server: its certificate must have it. */
  readonly name: string
  readonly path?: string
  /** The CA of the server's certificate, in PEM. */
  readonly ca: string
}

/** The answer of a web server on this machine to a request over TLS. */
export function secureAnswer({ port, name, path = '/', ca }: Asked, options: RequestOptions = {}): Promise<Answer> {
  const { headers, ...rest } = options
  const server = { host: '127.0.0.1', port, path, servername: name, ca, agent: false }
  return answerTo(request({ ...server, headers: { host: name, ...(headers as object) }, ...rest }))
}

/** The answer of a web server on this machine to a request without TLS. */
export function plainAnswer({ port, name, path = '/' }: Omit<Asked, 'ca'>): Promise<Answer> {
  return answerTo(plainRequest({ host: '127.0.0.1', port, path, headers: { host: name }, agent: false }))
}

function answerTo(sent: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      const { statusCode: status, headers } = response
      const serial = (response.socket as Partial<TLSSocket>).getPeerCertificate?.().serialNumber
      response
        .toArray()
        .then((parts) => resolve({ status, headers, text: Buffer.concat(parts).toString(), serial }), reject)
    })
    sent.end()
  })
}
