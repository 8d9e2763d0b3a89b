import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, execute, GraphQLError, parse, validate } from 'graphql'
import { FakeEngine, type Named } from './engine.ts'
import { SCHEMA } from './schema.ts'

export interface FakeSession {
  readonly port: number
  readonly token: string
  readonly engine: FakeEngine
  /** All queries in order. */
  readonly queries: readonly string[]
  close(): Promise<void>
}

export interface SessionBehaviour {
  readonly version?: string
  /** Replaces the answer of a query; `silence`: no answer. Undefined: the normal answer. */
  readonly instead?: (query: string) => { readonly status: number; readonly body: string } | 'silence' | undefined
  /** Receives the lines that the CLI would print. */
  readonly print?: (line: string) => void
}

/** A session for the SDK (`POST /query`) with a fake engine. */
export async function fakeSession(scratch: string, behaviour: SessionBehaviour = {}): Promise<FakeSession> {
  const engine = new FakeEngine(scratch, behaviour.print)
  const answer = answerer(engine, behaviour.version ?? 'v0.21.9')
  const queries: string[] = []
  const open = new Set<ServerResponse>()
  const token = randomUUID()
  const authorization = `Basic ${Buffer.from(`${token}:`).toString('base64')}`
  const server = createServer(async (request, response) => {
    const given = request.headers.authorization === authorization && request.url === '/query'
    const query = given ? queryOf(await textOf(request)) : undefined
    if (query === undefined) return void response.writeHead(401).end('who are you?')
    queries.push(query)
    open.add(response)
    response.once('close', () => {
      open.delete(response)
      // The engine stops commands for which no client waits any more.
      if (!response.writableFinished && open.size === 0) engine.stopCommands()
    })
    const instead = behaviour.instead?.(query)
    if (instead === 'silence') return
    response.setHeader('content-type', 'application/json')
    if (instead !== undefined) return void response.writeHead(instead.status).end(instead.body)
    response.end(JSON.stringify(await answer(query)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, token, engine, queries, close: () => closed(server) }
}

function answerer(engine: FakeEngine, version: string): (query: string) => Promise<unknown> {
  const schema = buildSchema(SCHEMA)
  return async (text) => {
    const document = parse(text)
    const errors = validate(schema, document)
    if (errors.length > 0) return { errors: errors.map((error) => error.toJSON()), data: null }
    const fieldResolver = (
      parent: Named,
      args: Record<string, never>,
      _: unknown,
      { fieldName }: { fieldName: string },
    ) => resolveField(engine, version, parent, fieldName, args)
    const typeResolver = (node: Named) => node.type
    return execute({ schema, document, rootValue: {}, fieldResolver, typeResolver })
  }
}

function resolveField(
  engine: FakeEngine,
  version: string,
  // biome-ignore lint/suspicious/noExplicitAny: GraphQL has validated the arguments
  parent: any,
  field: string,
  // biome-ignore lint/suspicious/noExplicitAny: GraphQL has validated the arguments
  args: any,
): unknown {
  const on = parent.type ?? parent.on ?? 'Query'
  switch (`${on}.${field}`) {
    case 'Query.version':
      return version
    case 'Query.host':
      return { on: 'Host' }
    case 'Query.directory':
      return engine.emptyDirectory()
    case 'Query.container':
      return engine.container(args.platform)
    case 'Query.node':
      return engine.node(args.id)
    case 'Host.file':
      return engine.hostFile(args.path)
    case 'Host.directory':
      return engine.hostDirectory(args.path, args.include)
    case 'Container.import':
      return engine.import(parent, args.source)
    case 'Container.withMountedTemp':
      return engine.withMount(parent, args.path, { kind: 'memory' })
    case 'Container.withMountedDirectory':
      return engine.withMount(parent, args.path, { kind: args.readOnly ? 'read-only' : 'writable', id: args.source })
    case 'Container.withWorkdir':
      return engine.withWorkdir(parent, args.path)
    case 'Container.withExec': {
      const privilege = args.insecureRootCapabilities ? 'all' : 'default'
      return engine.withExec(parent, { args: args.args, stdin: args.stdin, privilege })
    }
    case 'Container.directory':
      return engine.directory(parent, args.path)
    case 'Container.stdout':
      return engine.ranOf(parent).then(({ stdout }) => stdout)
    case 'Container.stderr':
      return engine.ranOf(parent).then(({ stderr }) => stderr)
    case 'Directory.export':
      return engine.export(parent, args.path)
    case `${on}.id`:
      return parent.id
    default:
      throw new GraphQLError(`the fake engine has no ${on}.${field}`)
  }
}

function queryOf(body: string): string | undefined {
  const { query, ...others } = JSON.parse(body) as Record<string, unknown>
  return typeof query === 'string' && Object.keys(others).length === 0 ? query : undefined
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
