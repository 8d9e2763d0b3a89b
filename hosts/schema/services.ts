import { z } from 'zod'
import type { HostService, Limits } from '../../overlays/host-facts.ts'
import { containerNames, type Memory, type Service, type Volumes } from '../../overlays/service.ts'
import { findService, SERVICES, type ServiceKind } from '../../overlays/services/registry.ts'
import { containerMemory, volumeQuota } from './sizes.ts'

/**
 * The most processor time that a container may use, in cores: 0.5 is half of one core. podman sets a quota per period of
 * 100 ms, and the kernel refuses a quota of less than 1 ms (`min_cfs_quota_period` in kernel/sched/core.c). systemd's
 * CPUQuota= of the unit is in whole per cent of a core.
 */
const cores = z.number().min(0.01).max(4).multipleOf(0.01).default(1)

/** The most processes and threads. Each one needs a kernel stack of 16 KiB. */
const tasks = z.number().int().min(16).max(8192).default(256)

/** systemd's CPUWeight= of the unit. */
const cpuWeight = z.number().int().min(1).max(10_000).default(100)

type Quota = z.ZodDefault<typeof volumeQuota>

type ByContainer<Recommended, Schema extends z.ZodType> = z.ZodObject<{ [Name in keyof Recommended]: Schema }>

/** The schema of the limits: plain values for a service with one container, otherwise one value per container. */
type LimitsShape<Recommended extends Memory> = Recommended extends string
  ? {
      /** The most memory that the container may use: '96 MiB'. systemd restarts a container that exceeds it. */
      memory: typeof containerMemory
      /** The most processor time that the container may use, in cores: 0.5 is half of one core. Default: 1. */
      cpus: typeof cores
      /** The most processes and threads. Default: 256. */
      tasks: typeof tasks
      /** The share of the processor time while all cores are busy. A container with 200 gets twice as much as one with 100. Default: 100. */
      cpuWeight: typeof cpuWeight
    }
  : {
      /** By container: the most memory that it may use, such as '96 MiB'. */
      memory: ByContainer<Recommended, typeof containerMemory>
      /** By container: the most processor time that it may use, in cores. Default: 1. */
      cpus: z.ZodPrefault<ByContainer<Recommended, typeof cores>>
      /** By container: the most processes and threads. Default: 256. */
      tasks: z.ZodPrefault<ByContainer<Recommended, typeof tasks>>
      /** By container: the share of the processor time while all cores are busy. Default: 100. */
      cpuWeight: z.ZodPrefault<ByContainer<Recommended, typeof cpuWeight>>
    }

/** The only key of an object type; never if it has several keys or none. */
type OnlyKey<Key, All = Key> = Key extends All ? ([All] extends [Key] ? Key : never) : never

/** The schema of the quotas: no field without a volume, a plain value for one volume, otherwise one value per volume. */
type DiskShape<Data extends Volumes> = [keyof Data] extends [never]
  ? Readonly<Record<never, never>>
  : [OnlyKey<keyof Data>] extends [never]
    ? {
        /** By volume: the most disk space that the data of a slot may take, such as '2 GiB'. */
        disk: z.ZodPrefault<ByContainer<Data, Quota>>
      }
    : {
        /** The most disk space that the data of a slot may take, such as '2 GiB'. Writes fail beyond it. */
        disk: Quota
      }

type ServiceSchemas = {
  [Kind in ServiceKind]: (typeof SERVICES)[Kind]['options'] extends z.ZodObject<infer Shape extends z.ZodRawShape>
    ? z.ZodOptional<
        z.ZodObject<
          LimitsShape<(typeof SERVICES)[Kind]['memory']> & DiskShape<(typeof SERVICES)[Kind]['volumes']> & Shape
        >
      >
    : never
}

/** The schema of a service in a host file: its limits, the quotas of its volumes, and its own options. */
export function serviceSchema({ memory, volumes, options }: Service) {
  return z.strictObject({ ...limitsShape(memory), ...diskShape(volumes), ...options.shape })
}

function limitsShape(memory: Memory) {
  if (typeof memory === 'string') return { memory: containerMemory, cpus: cores, tasks, cpuWeight }
  const byContainer = <Schema extends z.ZodType>(schema: Schema) =>
    z.strictObject(Object.fromEntries(Object.keys(memory).map((name) => [name, schema])))
  return {
    memory: byContainer(containerMemory),
    cpus: byContainer(cores).prefault({}),
    tasks: byContainer(tasks).prefault({}),
    cpuWeight: byContainer(cpuWeight).prefault({}),
  }
}

/** The quota of a volume whose service recommends none. */
export const USUAL_QUOTA = '1 GiB'

function diskShape(volumes: Volumes) {
  const quotas = Object.entries(volumes).map(
    ([name, { quota = USUAL_QUOTA }]) => [name, volumeQuota.default(volumeQuota.parse(quota))] as const,
  )
  const [only, ...more] = quotas
  if (only === undefined) return {}
  return { disk: more.length === 0 ? only[1] : z.strictObject(Object.fromEntries(quotas)).prefault({}) }
}

// Typed by name, so that an editor completes the options of each service.
const schemas = Object.fromEntries(
  Object.entries(SERVICES).map(([name, each]) => [name, serviceSchema(each as unknown as Service).optional()]),
) as unknown as ServiceSchemas

/** The services of a host file: name -> limits and options. */
export const servicesSchema = z.strictObject(schemas).prefault({})

/** The services that a parsed host file names, in the order of their names. */
export function hostServices(services: z.output<typeof servicesSchema>): HostService[] {
  return Object.entries(services)
    .flatMap(([name, given]) => {
      const found = findService(name)
      return given === undefined || found === undefined ? [] : [hostService(found, given)]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** One value for the only container or volume, or one value per name. */
type OneOrEach = number | Readonly<Record<string, number>>

interface Given {
  readonly memory: OneOrEach
  readonly cpus: OneOrEach
  readonly tasks: OneOrEach
  readonly cpuWeight: OneOrEach
  readonly disk?: OneOrEach
}

/** Separates a service's limits and quotas from its options. */
export function hostService(
  service: Service,
  { memory, cpus, tasks, cpuWeight, disk = {}, ...options }: Given,
): HostService {
  const limits = containerNames(service).map((name): [string, Limits] => [
    name,
    {
      memory: valueFor(name, memory),
      cpus: valueFor(name, cpus),
      tasks: valueFor(name, tasks),
      cpuWeight: valueFor(name, cpuWeight),
    },
  ])
  const quotas = Object.keys(service.volumes).map((name) => [name, valueFor(name, disk)])
  return { name: service.name, limits: Object.fromEntries(limits), disk: Object.fromEntries(quotas), options }
}

function valueFor(name: string, given: OneOrEach): number {
  const value = typeof given === 'number' ? given : given[name]
  if (value === undefined) throw new Error(`no limit for '${name}': the schema should have refused it`)
  return value
}
