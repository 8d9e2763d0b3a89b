/** Settings of npm: key -> value. Keys are lower case, except addresses and scopes: `//HOST/:_authToken`. */
export type Settings = Readonly<Record<string, string>>

/** Reads the text of an `.npmrc`: lines of KEY=VALUE, in which `${NAME}` is a variable of the environment. */
export function parseNpmrc(text: string, env: NodeJS.ProcessEnv): Settings {
  const pairs = text.split(/\r?\n/).flatMap((line) => {
    const [, key, value] = /^\s*([^;#\s=[][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined
      ? []
      : [[expanded(key, env), expanded(unquoted(value), env)] as const]
  })
  return Object.fromEntries(pairs)
}

/** Reads the settings in the environment: `npm_config_registry`, and also in capital letters. */
export function npmVariables(env: NodeJS.ProcessEnv): Settings {
  const pairs = Object.entries(env).flatMap(([name, value]) => {
    const [, key] = /^npm_config_(.+)$/i.exec(name) ?? []
    if (key === undefined || value === undefined || value === '') return []
    return [[/^[@/]/.test(key) ? key : key.toLowerCase().replace(/(?!^)_/g, '-'), value] as const]
  })
  return Object.fromEntries(pairs)
}

/** npm leaves a name without a value as it is, and `${NAME?}` becomes nothing. */
function expanded(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(/(?<!\\)\$\{([^${}]+?)(\?)?\}/g, (whole, name: string, optional?: string) => {
    return env[name] ?? (optional === undefined ? whole : '')
  })
}

function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? []
  return inner ?? value.replace(/\s+[;#].*$/, '')
}
