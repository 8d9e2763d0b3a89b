import type { IssuedCertificates } from '../images/certificates/need.ts'
import { accountId } from '../images/ids.ts'
import { type ContainerFile, type DeviceUse, type HealthCheck, isJob, type Job, type Use } from './container.ts'
import { waitingLines, wantedBy } from './device-unit.ts'
import type { Limits } from './host-facts.ts'
import type { ContainerOnHost } from './host-services.ts'
import { isDecrypted, needsDecryption, secretDirectory, secretPath, secretVariablesPath } from './secret-files.ts'

/** The path of a container's configuration file in the `host` layer. */
export function configurationPath(container: string, path: string): string {
  return `/usr/share/hangar/services/${container}${path}`
}

/** The name of an image in its layer; see `writeContainerStore` of the container layer. */
function imageReference(imageName: string): string {
  return `localhost/hangar/${imageName}:latest`
}

/** The path at which the device mounts this slot's copy of a volume. */
function volumePath(volume: string): string {
  return `/run/hangar/data/${volume}`
}

/** The text of a file. The checks of a host have already refused all other kinds of files. */
export function fileText(file: ContainerFile, { ca, issued }: IssuedCertificates): string {
  if (file.kind === 'text') return file.text
  if (file.kind === 'ca') return pem('the CA', ca)
  if (file.kind === 'certificate') return pem(`'${file.subject}'`, issued[file.subject])
  throw new Error(`cannot render a file of kind '${file.kind}': the checks of the host should have refused it`)
}

function pem(owner: string, text: string | undefined): string {
  if (text) return text
  throw new Error(`no certificate of ${owner}: the build should have issued it`)
}

const MIB = 1024 * 1024

/** The allowance for podman's own processes, which run in the same unit: MiB, per cent of a core, and tasks. */
const BESIDE = { memory: 32, cpu: 100, tasks: 256 }

/**
 * The time limit of a check, in seconds. It is long, because a check may be slow while the host is busy, for example
 * during boot.
 */
const CHECK_TIMEOUT = 30

/** Seconds between two checks until the first check passes. */
const STARTUP_INTERVAL = 5

/**
 * The quadlet of a container, for podman's systemd generator (podman-systemd.unit(5) of podman 5.4, which has no `Memory=`
 * key). The container never pulls an image or runs as root. It can write to its volumes and to /tmp only.
 */
export function quadlet(container: ContainerOnHost): string {
  const { health } = container
  const section = (title: string, lines: readonly string[]) => [`[${title}]`, ...lines, '']
  return [
    ...section('Unit', [
      `Description=${container.name}: ${container.about}`,
      'Requires=hangar-data.service',
      'After=hangar-data.service',
      'ConditionPathExists=!/run/hangar/data-failed',
      ...(needsDecryption(container) ? secretLines(container) : []),
      'StartLimitIntervalSec=0',
      ...waitingLines(container.uses),
    ]),
    ...section('Container', [
      ...sandboxLines(container),
      ...mountLines(container),
      ...(isJob(health) ? [] : healthLines(health)),
      `PodmanArgs=${podmanArguments(container).join(' ')}`,
      `Exec=${container.command.map(quoted).join(' ')}`,
    ]),
    ...section('Service', [
      ...limitLines(container.limits),
      ...(isJob(health) ? jobLines(container, health) : RESTARTS),
    ]),
    ...(isJob(health) ? [] : section('Install', [`WantedBy=${wantedBy(container.uses)}`])),
  ].join('\n')
}

/** If one secret of the host cannot be decrypted, the containers that do not use it start nevertheless. */
function secretLines({ name }: ContainerOnHost): string[] {
  return [
    'Requires=hangar-secrets.service',
    'After=hangar-secrets.service',
    `ConditionPathExists=${secretDirectory(name)}`,
  ]
}

function sandboxLines({ name, imageName, user, limits, capabilities }: ContainerOnHost): string[] {
  const id = accountId(user)
  return [
    `ContainerName=${name}`,
    `Image=${imageReference(imageName)}`,
    'Pull=never',
    'Network=host',
    'ReadOnly=true',
    'ReadOnlyTmpfs=false',
    'Tmpfs=/tmp:size=16M,mode=1777',
    'DropCapability=all',
    // For a user other than root, podman adds a capability to the ambient set, which lasts without new privileges.
    ...capabilities.map((each) => `AddCapability=${each}`),
    'NoNewPrivileges=true',
    `User=${id}`,
    `Group=${id}`,
    `PidsLimit=${limits.tasks}`,
    'LogDriver=journald',
  ]
}

function mountLines({ name, environment, files, volumes, borrowed, uses }: ContainerOnHost): string[] {
  return [
    ...sorted(environment).flatMap(([key, value]) =>
      typeof value === 'string' ? [`Environment=${quoted(`${key}=${value}`)}`] : [],
    ),
    ...(Object.values(environment).every((each) => typeof each === 'string')
      ? []
      : [`EnvironmentFile=${secretVariablesPath(name)}`]),
    ...sorted(files).map(([path, each]) => `Volume=${sourceOf(name, path, each)}:${path}:ro`),
    ...sorted(volumes).map(
      ([path, volume]) => `Volume=${volumePath(volume)}:${path}${volume in borrowed ? ':ro' : ''}`,
    ),
    ...uses.filter(isDevice).map(deviceLine),
  ]
}

function healthLines({ command, interval }: HealthCheck): string[] {
  return [
    `HealthCmd=${literal(JSON.stringify(command))}`,
    `HealthInterval=${interval}s`,
    `HealthTimeout=${CHECK_TIMEOUT}s`,
    'HealthRetries=3',
    // The first check runs before the program listens. Frequent checks at startup find a healthy program soon;
    // TimeoutStartSec= limits the wait.
    `HealthStartupCmd=${literal(JSON.stringify(command))}`,
    `HealthStartupInterval=${STARTUP_INTERVAL}s`,
    `HealthStartupTimeout=${CHECK_TIMEOUT}s`,
    'HealthStartupRetries=0',
    'HealthOnFailure=kill',
    'Notify=healthy',
  ]
}

function limitLines({ memory, cpus, tasks, cpuWeight }: Limits): string[] {
  return [
    'Slice=hangar.slice',
    `MemoryMax=${inMib(memory) + BESIDE.memory}M`,
    `CPUQuota=${Math.round(cpus * 100) + BESIDE.cpu}%`,
    `CPUWeight=${cpuWeight}`,
    `TasksMax=${tasks + BESIDE.tasks}`,
  ]
}

const RESTARTS = ['Restart=always', 'RestartSec=5', 'RestartSteps=5', 'RestartMaxDelaySec=120', 'TimeoutStartSec=300']

/** The longest run of a job, in seconds. */
const LONGEST_RUN = 1800

function jobLines({ volumes }: ContainerOnHost, { follow }: Job): string[] {
  const lines = ['Type=oneshot', `TimeoutStartSec=${LONGEST_RUN}`]
  if (follow === undefined) return lines
  const [mount = '', volume] = Object.entries(volumes).find(([path]) => follow.file.startsWith(`${path}/`)) ?? []
  if (volume === undefined) throw new Error(`'${follow.file}' is not in a volume of the container`)
  const file = `${volumePath(volume)}${follow.file.slice(mount.length)}`
  const words = ['/usr/bin/podman', 'exec', follow.container, ...follow.command].join(' ')
  // Also after a run that failed, because it may have done a part of its work.
  return [...lines, `ExecStopPost=/bin/sh -c ${quoted(`[ ! -e ${file} ] || { ${words} && rm -f ${file}; }`)}`]
}

/** The timer of a job, for systemd. */
export function timer({ name }: ContainerOnHost, { hours }: Job): string {
  return [
    '[Unit]',
    `Description=Starts ${name}`,
    '',
    '[Timer]',
    'OnBootSec=2min',
    `OnUnitInactiveSec=${hours}h`,
    '',
  ].join('\n')
}

/** Limits and groups, as options of `podman run`. */
function podmanArguments({ limits: { memory, cpus }, uses, borrowed }: ContainerOnHost): string[] {
  const mib = inMib(memory)
  const devices = uses.filter(isDevice).flatMap(({ group }) => group ?? [])
  // The group of a volume may read it.
  const owners = Object.values(borrowed).map(accountId)
  const groups = [...new Set([...devices, ...owners])].map((group) => `--group-add=${group}`)
  return [`--memory=${mib}m`, `--memory-swap=${mib}m`, `--cpus=${cpus}`, '--image-volume=ignore', ...groups]
}

function inMib(bytes: number): number {
  return Math.floor(bytes / MIB)
}

function isDevice(use: Use): use is DeviceUse {
  return 'device' in use
}

/** A hyphen before the path makes podman skip a device that does not exist. */
function deviceLine({ device, path, missing }: DeviceUse): string {
  return `AddDevice=${missing === 'start' ? '-' : ''}${device}${path === undefined ? '' : `:${path}`}`
}

function sourceOf(container: string, path: string, file: ContainerFile): string {
  return isDecrypted(file) ? secretPath(container, path) : configurationPath(container, path)
}

function sorted<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

function quoted(word: string): string {
  return literal(/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))
}

/** Doubles `$` and `%`, because systemd expands single ones, and podman's generator does not change them. */
function literal(text: string): string {
  return text.replace(/[$%]/g, '$&$&')
}
