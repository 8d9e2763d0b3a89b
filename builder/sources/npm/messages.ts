/** Hints about the settings of registries. */
export const NETWORK_HINT = "check the network and npm's setting of the registry: npm config get registry"
export const LOGIN_HINT = 'log in to the registry: npm login; or correct the token in .npmrc'

/** A text whose web addresses have no user and no password, for messages. */
export function withoutLogins(text: string): string {
  return text.replace(/\/\/[^/\s"]*@/g, '//')
}
