import { accountId } from '../images/ids.ts'
import type { ContainerFile, DeviceUse, EnvironmentValue, HealthCheck, Use } from './container.ts'
import { waitingLines, wantedBy } from './device-unit.ts'
import type { Limits } from './host-facts.ts'
import type { ContainerOnHost } from './host-services.ts'

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
export function fileText(file: ContainerFile): string {
  if (file.kind === 'text') return file.text
  throw new Error(`cannot render a file of kind '${file.kind}': the checks of the host should have refused it`)
}

const MIB = 1024 * 1024

/** The allowance for podman's own processes, which run in the same unit: MiB, and per cent of a core. */
const BESIDE = { memory: 32, cpu: 100 }

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
  const section = (title: string, lines: readonly string[]) => [`[${title}]`, ...lines, '']
  return [
    ...section('Unit', [
      `Description=${container.name}: ${container.about}`,
      'Requires=hangar-data.service',
      'After=hangar-data.service',
      'ConditionPathExists=!/run/hangar/data-failed',
      'StartLimitIntervalSec=0',
      ...waitingLines(container.uses),
    ]),
    ...section('Container', [
      ...sandboxLines(container),
      ...mountLines(container),
      ...healthLines(container.health),
      `PodmanArgs=${podmanArguments(container).join(' ')}`,
      `Exec=${container.command.map(quoted).join(' ')}`,
    ]),
    ...section('Service', serviceLines(container.limits)),
    ...section('Install', [`WantedBy=${wantedBy(container.uses)}`]),
  ].join('\n')
}

function sandboxLines({ name, imageName, user, capabilities }: ContainerOnHost): string[] {
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
    'PidsLimit=256',
    'LogDriver=journald',
  ]
}

function mountLines({ name, environment, files, volumes, uses }: ContainerOnHost): string[] {
  return [
    ...sorted(environment).map(([key, value]) => `Environment=${quoted(`${key}=${environmentText(value)}`)}`),
    ...sorted(files).map(([path]) => `Volume=${configurationPath(name, path)}:${path}:ro`),
    ...sorted(volumes).map(([path, volume]) => `Volume=${volumePath(volume)}:${path}`),
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

function serviceLines({ memory, cpus }: Limits): string[] {
  return [
    'Slice=hangar.slice',
    `MemoryMax=${inMib(memory) + BESIDE.memory}M`,
    `CPUQuota=${Math.round(cpus * 100) + BESIDE.cpu}%`,
    'TasksMax=512',
    'Restart=always',
    'RestartSec=5',
    'RestartSteps=5',
    'RestartMaxDelaySec=120',
    'TimeoutStartSec=300',
  ]
}

/** Limits and groups, as options of `podman run`. */
function podmanArguments({ limits: { memory, cpus }, uses }: ContainerOnHost): string[] {
  const mib = inMib(memory)
  const groups = uses.filter(isDevice).flatMap(({ group }) => (group === undefined ? [] : [`--group-add=${group}`]))
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

function environmentText(value: EnvironmentValue): string {
  if (typeof value === 'string') return value
  throw new Error(`cannot render the secret '${value.name}': the checks of the host should have refused it`)
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
