import { ProgramError } from '../../../../lib/program-error.ts'
import { type ProxyRule, parseProxy, withoutLogin } from '../../../../lib/proxy.ts'
import { run } from '../../../../lib/subprocess.ts'

type Settings = ReadonlyMap<string, string>

/**
 * The proxies that apt on this machine uses, as apt-transport-http(1) describes them: for one server, for all servers, and
 * the program of Proxy-Auto-Detect. Reads apt's configuration at the first request. Decides nothing on a machine without apt.
 */
export function aptProxy(env: NodeJS.ProcessEnv): ProxyRule {
  const detected = new Map<string, Promise<string>>()
  let settings: Promise<Settings> | undefined
  return async (url) => {
    settings ??= readSettings(env)
    const known = await settings
    const { protocol, hostname, origin } = url
    // The https method takes the settings of http that it does not have.
    for (const scheme of protocol === 'https:' ? ['https', 'http'] : ['http']) {
      const own = `acquire::${scheme}::proxy`
      const value = known.get(`${own}::${hostname}`) ?? known.get(own)
      if (value !== undefined) return proxyOf(value, `apt's setting Acquire::${scheme}::Proxy`)
      const program = known.get(`${own}-auto-detect`) ?? known.get(`acquire::${scheme}::proxyautodetect`)
      if (program === undefined) continue
      const answer = detected.get(origin) ?? detect(program, url, env)
      detected.set(origin, answer)
      const found = proxyOf(await answer, `the answer of '${program}' (Acquire::${scheme}::Proxy-Auto-Detect)`)
      if (found !== undefined) return found
    }
    return undefined
  }
}

function proxyOf(value: string, name: string): URL | 'direct' | undefined {
  if (value === '') return undefined
  return value.toUpperCase() === 'DIRECT' ? 'direct' : parseProxy(value, name)
}

async function readSettings(env: NodeJS.ProcessEnv): Promise<Settings> {
  const output = await outputOf('apt-config', ['dump', '--no-empty'], env)
  const lines = output.matchAll(/^(Acquire::[^ ]+) "(.*)";$/gim)
  return new Map([...lines].map(([, name = '', value = '']) => [name.toLowerCase(), value]))
}

async function detect(program: string, url: URL, env: NodeJS.ProcessEnv): Promise<string> {
  return (await outputOf(program, [withoutLogin(url).href], env)).split('\n')[0]?.trim() ?? ''
}

/** Empty without the program, as on a machine without apt, and when the program fails. */
async function outputOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const given = { PATH: env.PATH ?? '/usr/bin:/bin', HOME: env.HOME ?? '/', LC_ALL: 'C' }
  const aptConfig = env.APT_CONFIG === undefined ? {} : { APT_CONFIG: env.APT_CONFIG }
  try {
    const { exitCode, output } = await run(program, args, { env: { ...given, ...aptConfig } })
    return exitCode === 0 ? output : ''
  } catch (error) {
    if (error instanceof ProgramError) return ''
    throw error
  }
}
