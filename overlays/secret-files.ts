import { accountId } from '../images/ids.ts'
import { type FileTree, file } from '../images/tree.ts'
import type { ContainerFile, Secret } from './container.ts'
import { HANGAR_LIB } from './device/manifest.ts'
import type { ContainerOnHost } from './host-services.ts'
import { secretUses } from './secrets.ts'

/** Ciphertexts by the secret's name. */
export type Ciphertexts = Readonly<Record<string, string>>

const DIRECTORY = `${HANGAR_LIB}/secrets`

/** The path of a container's file with secrets on the running host, in memory. */
export function secretPath(container: string, path: string): string {
  return `${secretDirectory(container)}/files${path}`
}

/** The variables with secrets: lines in the format of `podman run --env-file`. */
export function secretVariablesPath(container: string): string {
  return `${secretDirectory(container)}/environment`
}

/** The host makes this directory when it could decrypt everything that the container needs. */
export function secretDirectory(container: string): string {
  return `/run/hangar/secrets/${container}`
}

/** Whether the host writes this file when it starts, because it contains secrets. */
export function isDecrypted(given: ContainerFile): given is Extract<ContainerFile, { kind: 'secret' | 'template' }> {
  return given.kind === 'secret' || given.kind === 'template'
}

/** Whether a container starts only after the host has decrypted its secrets. */
export function needsDecryption({ files, environment }: ContainerOnHost): boolean {
  return Object.values(files).some(isDecrypted) || Object.values(environment).some((each) => typeof each !== 'string')
}

/** The ciphertexts, and what overlays/device/system/secrets.sh makes of them. Empty for a host without secrets. */
export function secretFiles(containers: readonly ContainerOnHost[], ciphertexts: Ciphertexts): FileTree {
  const using = containers.filter(needsDecryption)
  if (using.length === 0) return {}
  const names = [...new Set(using.flatMap((each) => secretUses(each).map(({ secret }) => secret.name)))].sort()
  const rendered = using.map(renderContainer)
  return {
    ...Object.fromEntries(names.map((name) => [`${DIRECTORY}/${name}.age`, file(ciphertextOf(name, ciphertexts))])),
    ...Object.fromEntries(rendered.flatMap(({ texts }) => texts.map(([name, text]) => [textPath(name), file(text)]))),
    [`${DIRECTORY}/table`]: file(rendered.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('')),
    '/etc/systemd/system/hangar-secrets.service': file(UNIT),
  }
}

function ciphertextOf(name: string, ciphertexts: Ciphertexts): string {
  const found = ciphertexts[name]
  if (found === undefined) throw new Error(`no ciphertext was given for the secret '${name}'`)
  return found
}

interface Rendered {
  /** Lines of the table, as overlays/device/system/secrets.sh reads them. */
  readonly lines: readonly string[]
  /** The texts between secrets, by the name in the table. */
  readonly texts: readonly (readonly [name: string, text: string])[]
}

function renderContainer(container: ContainerOnHost): Rendered {
  const { name, user, files, environment } = container
  const texts: [string, string][] = []
  const partLine = (part: string | Secret) => {
    if (typeof part !== 'string') return `secret ${part.name}`
    texts.push([`${name}/${texts.length + 1}`, part])
    return `text ${name}/${texts.length}`
  }
  const fileLines = sorted(files).flatMap(([path, each]) =>
    isDecrypted(each) ? [`file ${word(path)}`, ...partsOf(each).map(partLine)] : [],
  )
  const variableLines = sorted(environment).flatMap(([variable, value]) =>
    typeof value === 'string' ? [] : [`variable ${word(variable)} ${value.name}`],
  )
  return { lines: [`container ${name} ${accountId(user)}`, ...fileLines, ...variableLines], texts }
}

function partsOf(given: Extract<ContainerFile, { kind: 'secret' | 'template' }>): (string | Secret)[] {
  return given.kind === 'secret' ? [given] : given.parts.filter((part) => part !== '')
}

function textPath(name: string): string {
  return `${DIRECTORY}/${name}`
}

/** The table separates its words by spaces. */
function word(text: string): string {
  if (/^[\w/.@+=-]+$/.test(text) && !text.split('/').includes('..')) return text
  throw new Error(`'${text}' cannot be the path of a file with secrets, or a variable`)
}

function sorted<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

const UNIT = [
  '[Unit]',
  'Description=Decrypt the secrets of the services into memory',
  '',
  '[Service]',
  'Type=oneshot',
  'RemainAfterExit=yes',
  `ExecStart=${HANGAR_LIB}/decrypt-secrets`,
  'TimeoutStartSec=60',
  'UMask=0077',
  'LimitCORE=0',
  '',
].join('\n')
