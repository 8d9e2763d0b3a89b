import type { Option } from './command.ts'

// Options that several commands share, so that their help is the same everywhere.

export const AT: Option = {
  flags: '--at <address>',
  about: 'address of the host as ADDRESS[:PORT] (default: the first one in the host file)',
}

export const RUNNER: Option = {
  flags: '--runner <runner>',
  about: "runner of the build: 'dagger', 'local' or 'auto' (default: $HANGAR_RUNNER, or 'auto')",
}

export const JSON_OUTPUT: Option = {
  flags: '--json',
  about: 'print JSON for programs',
}

export const PLAIN_HTTP: Option = {
  flags: '--plain-http',
  about: 'connect to the registry without TLS; use it on trusted networks only',
}
