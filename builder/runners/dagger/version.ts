import { UserError } from '../../../errors.ts'
import { WITHOUT_ENGINE } from './engine-failure.ts'

/** The version of the SDK. The SDK downloads the CLI and the engine of the same version. */
export const DAGGER_VERSION = '0.21.9'

/**
 * Throws 'engine' unless the engine has the same minor version as the SDK. All patch versions of a minor version have
 * the same API.
 */
export function requireVersion(version: string): void {
  const minor = DAGGER_VERSION.replace(/\.\d+$/, '')
  if (version.replace(/^v/, '').startsWith(`${minor}.`)) return
  throw new UserError('engine', `the Dagger engine has version '${version}', wanted ${minor}`, {
    hint: `start an engine v${DAGGER_VERSION} and set _EXPERIMENTAL_DAGGER_RUNNER_HOST=…, or ${WITHOUT_ENGINE}`,
  })
}
