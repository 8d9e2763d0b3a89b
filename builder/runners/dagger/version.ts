import { UserError } from '../../../errors.ts'
import { WITHOUT_ENGINE } from './engine-failure.ts'

/** Of the SDK, and so of the CLI and the engine that it asks for. */
export const DAGGER_VERSION = '0.21.9'

/** Engines of one minor version speak the same language. */
export function requireVersion(version: string): void {
  const minor = DAGGER_VERSION.replace(/\.\d+$/, '')
  if (version.replace(/^v/, '').startsWith(`${minor}.`)) return
  throw new UserError('engine', `the Dagger engine is of version '${version}', wanted ${minor}`, {
    hint: `run an engine v${DAGGER_VERSION} and name it: _EXPERIMENTAL_DAGGER_RUNNER_HOST=…; or ${WITHOUT_ENGINE}`,
  })
}
