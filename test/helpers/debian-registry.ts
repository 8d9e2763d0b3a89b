import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { freePort } from '../../flash/vm/free-port.ts'
import { programOf } from '../../flash/vm/program.ts'
import { registryPrograms } from './registry-programs.ts'
import { tempDirectory } from './temp.ts'

export interface DebianRegistry {
  readonly port: number
  /** The storage of the registry: `docker/registry/v2/blobs/sha256/AB/ABC…/data`. */
  readonly directory: string
  /** The whole log. */
  log(): string
}

export type RegistryLogin =
  | { readonly kind: 'none' }
  /** The one user of `HTPASSWD`. */
  | { readonly kind: 'basic' }
  | { readonly kind: 'token'; readonly realm: string; readonly certificate: string }

/** The user and password that the registry accepts. */
export const USER = { user: 'builder', password: 'correct horse' } as const
const HTPASSWD = `${USER.user}:$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n`

/** The service names that the registry and the token server share. */
export const SERVICE = 'test registry'
export const ISSUER = 'test issuer'

/** Starts Debian's docker-registry on loopback. It stops when the test ends. */
export async function startDebianRegistry(login: RegistryLogin = { kind: 'none' }): Promise<DebianRegistry> {
  const directory = await tempDirectory()
  const port = await freePort(23000 + Math.floor(Math.random() * 2000), new Set())
  await writeFile(join(directory, 'htpasswd'), HTPASSWD)
  if (login.kind === 'token') await writeFile(join(directory, 'certificate.pem'), login.certificate)
  await writeFile(join(directory, 'config.json'), JSON.stringify(configuration(directory, port, login)))
  const { file, args, env } = programOf(await registryPrograms(), 'docker-registry')
  const child = spawn(file, [...args, 'serve', join(directory, 'config.json')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  for (let tries = 0; !said.includes('listening on'); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`the registry does not listen: ${said}`)
    await sleep(50)
  }
  return { port, directory: join(directory, 'data'), log: () => said }
}

function configuration(directory: string, port: number, login: RegistryLogin) {
  return {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: `127.0.0.1:${port}`, secret: 'test' },
    ...(login.kind === 'basic' && { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } }),
    ...(login.kind === 'token' && {
      auth: {
        token: {
          ...{ realm: login.realm, service: SERVICE, issuer: ISSUER },
          rootcertbundle: join(directory, 'certificate.pem'),
        },
      },
    }),
  }
}
