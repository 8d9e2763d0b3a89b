import { accountId } from '../images/ids.ts'
import type { HostService } from './host-facts.ts'
import type { RenderedService } from './service.ts'

/** The name of a service's image in its layer; see `images/layers/parts/container-store.ts`. */
export function imageName(service: string): string {
  return `localhost/hangar/${service}:latest`
}

/** Where a service's files lie in the `host` layer. */
export function configurationPath(service: string, path: string): string {
  return `/usr/share/hangar/services/${service}${path}`
}

/** A service's data on the device: this slot's subvolume of it. */
export function dataPath(service: string): string {
  return `/run/hangar/data/${service}`
}

const MIB = 1024 * 1024

/** podman's own start and its monitor process run beside the service, in the same unit: MiB, and per cent of a core. */
const BESIDE = { memory: 32, cpu: 100 }

/** Seconds for one check: a host that is busy, as one that starts is, must not take its own slowness for a sick service. */
const CHECK_TIMEOUT = 30

/** Seconds between checks until the first good one. */
const STARTUP_INTERVAL = 5

/**
 * A service as podman's generator for systemd reads it (podman-systemd.unit(5), 5.4: there is no `Memory=` yet). Nothing
 * is pulled, nothing runs as root, nothing can be written but its data and a little memory.
 */
export function quadlet({ name, memory, cpus }: HostService, about: string, rendered: RenderedService): string {
  const { user, command, configuration, data, health } = rendered
  const id = accountId(user)
  const mib = Math.floor(memory / MIB)
  const section = (title: string, lines: readonly string[]) => [`[${title}]`, ...lines, '']
  return [
    ...section('Unit', [
      `Description=${name}: ${about}`,
      'Requires=hangar-data.service',
      'After=hangar-data.service',
      'ConditionPathExists=!/run/hangar/data-failed',
      'StartLimitIntervalSec=0',
    ]),
    ...section('Container', [
      `ContainerName=${name}`,
      `Image=${imageName(name)}`,
      'Pull=never',
      'Network=host',
      'ReadOnly=true',
      'ReadOnlyTmpfs=false',
      'Tmpfs=/tmp:size=16M,mode=1777',
      'DropCapability=all',
      'NoNewPrivileges=true',
      `User=${id}`,
      `Group=${id}`,
      'PidsLimit=256',
      'LogDriver=journald',
      ...Object.keys(configuration)
        .sort()
        .map((path) => `Volume=${configurationPath(name, path)}:${path}:ro`),
      ...(data === undefined ? [] : [`Volume=${dataPath(name)}:${data}`]),
      `HealthCmd=${literal(JSON.stringify(health.command))}`,
      `HealthInterval=${health.interval}s`,
      `HealthTimeout=${CHECK_TIMEOUT}s`,
      'HealthRetries=3',
      // The first check comes before the service listens, and the next would come an interval later. systemd's own
      // start timeout bounds the waiting.
      `HealthStartupCmd=${literal(JSON.stringify(health.command))}`,
      `HealthStartupInterval=${STARTUP_INTERVAL}s`,
      `HealthStartupTimeout=${CHECK_TIMEOUT}s`,
      'HealthStartupRetries=0',
      'HealthOnFailure=kill',
      'Notify=healthy',
      `PodmanArgs=--memory=${mib}m --memory-swap=${mib}m --cpus=${cpus} --image-volume=ignore`,
      `Exec=${command.map(quoted).join(' ')}`,
    ]),
    ...section('Service', [
      'Slice=hangar.slice',
      `MemoryMax=${mib + BESIDE.memory}M`,
      `CPUQuota=${Math.round(cpus * 100) + BESIDE.cpu}%`,
      'TasksMax=512',
      'Restart=always',
      'RestartSec=5',
      'RestartSteps=5',
      'RestartMaxDelaySec=120',
      'TimeoutStartSec=300',
    ]),
    ...section('Install', ['WantedBy=multi-user.target']),
  ].join('\n')
}

function quoted(word: string): string {
  return literal(/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))
}

/** systemd puts variables and specifiers in at `$` and `%` that are not doubled; podman's generator passes both on. */
function literal(text: string): string {
  return text.replace(/[$%]/g, '$&$&')
}
