import { userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'

/** The directory of the store: `$HANGAR_STORE`, by default `hangar` in the user's cache directory. */
export function storeDirectory(env: NodeJS.ProcessEnv): string {
  return env.HANGAR_STORE ? resolve(env.HANGAR_STORE) : join(cacheHome(env), 'hangar')
}

/** The directory with the owner's private keys: `hangar` in the user's configuration directory. */
export function keyDirectory(env: NodeJS.ProcessEnv): string {
  return join(configHome(env), 'hangar')
}

/** `$XDG_CACHE_HOME`, by default `~/.cache`. */
function cacheHome(env: NodeJS.ProcessEnv): string {
  return absolute(env, 'XDG_CACHE_HOME') ?? join(homeDirectory(env), '.cache')
}

/** `$XDG_CONFIG_HOME`, by default `~/.config`. */
function configHome(env: NodeJS.ProcessEnv): string {
  return absolute(env, 'XDG_CONFIG_HOME') ?? join(homeDirectory(env), '.config')
}

/** `$HOME`. Services and containers may have none: then the home directory of the user's entry in /etc/passwd. */
export function homeDirectory(env: NodeJS.ProcessEnv, fromPasswd: () => string = () => userInfo().homedir): string {
  const home = absolute(env, 'HOME')
  if (home !== undefined) return home
  try {
    return fromPasswd()
  } catch (cause) {
    throw new UserError(
      'usage',
      `HOME is not set, and user ${process.getuid?.()} has no entry in /etc/passwd: hangar has no place for its store and keys`,
      { hint: 'set HOME to a directory that you can write to, or set both HANGAR_STORE and XDG_CONFIG_HOME', cause },
    )
  }
}

/** The value of a variable that names a directory (XDG Base Directory Specification); undefined when it is empty. */
function absolute(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]
  if (!value) return undefined
  if (isAbsolute(value)) return value
  throw new UserError('usage', `${name} is '${value}', wanted an absolute path`, {
    hint: `set it to an absolute path, for example: ${name}="$PWD/${value}"`,
  })
}
