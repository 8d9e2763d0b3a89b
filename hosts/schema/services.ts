import { z } from 'zod'
import type { HostService, Limits } from '../../overlays/host-facts.ts'
import { containerNames, type Memory, type Service } from '../../overlays/service.ts'
import { findService, SERVICES, type ServiceKind } from '../../overlays/services/registry.ts'
import { containerMemory } from './sizes.ts'

/**
 * The most processor time that a container may use, in cores: 0.5 is half of one core. podman sets a quota per period of
 * 100 ms, and the kernel refuses a quota of less than 1 ms (`min_cfs_quota_period` in kernel/sched/core.c). systemd's
 * CPUQuota= of the unit is in whole per cent of a core.
 */
const cores = z.number().min(0.01).max(4).multipleOf(0.01).default(1)

type ByContainer<Recommended, Schema extends z.ZodType> = z.ZodObject<{ [Name in keyof Recommended]: Schema }>

/** The schema of the limits: plain values for a service with one container, otherwise one value per container. */
type LimitsShape<Recommended extends Memory> = Recommended extends string
  ? {
      /** The most memory that the container may use: '96 MiB'. systemd restarts a container that exceeds it. */
      memory: typeof containerMemory
      /** The most processor time that the container may use, in cores: 0.5 is half of one core. Default: 1. */
      cpus: typeof cores
    }
  : {
      /** By container: the most memory that it may use, such as '96 MiB'. */
      memory: ByContainer<Recommended, typeof containerMemory>
      /** By container: the most processor time that it may use, in cores. Default: 1. */
      cpus: z.ZodPrefault<ByContainer<Recommended, typeof cores>>
    }

type ServiceSchemas = {
  [Kind in ServiceKind]: (typeof SERVICES)[Kind]['options'] extends z.ZodObject<infer Shape extends z.ZodRawShape>
    ? z.ZodOptional<z.ZodObject<LimitsShape<(typeof SERVICES)[Kind]['memory']> & Shape>>
    : never
}

/** The schema of a service in a host file: its limits and its own options. */
export function serviceSchema({ memory, options }: Service) {
  return z.strictObject({ ...limitsShape(memory), ...options.shape })
}

function limitsShape(memory: Memory) {
  if (typeof memory === 'string') return { memory: containerMemory, cpus: cores }
  const byContainer = <Schema extends z.ZodType>(schema: Schema) =>
    z.strictObject(Object.fromEntries(Object.keys(memory).map((name) => [name, schema])))
  return { memory: byContainer(containerMemory), cpus: byContainer(cores).prefault({}) }
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

interface Given {
  readonly memory: number | Readonly<Record<string, number>>
  readonly cpus: number | Readonly<Record<string, number>>
}

/** Separates a service's limits from its options. */
export function hostService(service: Service, { memory, cpus, ...options }: Given): HostService {
  const limits = containerNames(service).map((name): [string, Limits] => [
    name,
    { memory: valueFor(name, memory), cpus: valueFor(name, cpus) },
  ])
  return { name: service.name, limits: Object.fromEntries(limits), options }
}

function valueFor(container: string, given: number | Readonly<Record<string, number>>): number {
  const value = typeof given === 'number' ? given : given[container]
  if (value === undefined) throw new Error(`no limit for container '${container}': the schema should have refused it`)
  return value
}
