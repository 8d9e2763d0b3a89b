import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { hostService, serviceSchema } from '../../../hosts/schema/services.ts'
import type { Service } from '../../../overlays/service.ts'
import { testService } from '../../helpers/test-service.ts'

const MIB = 2 ** 20
const options = z.strictObject({ level: z.number().default(3) })
const one = testService({ options })
const several = testService({ options, memory: { server: '64 MiB', worker: '32 MiB' } })
const USUAL = { tasks: 256, cpuWeight: 100 }
const volume = { about: 'data', binding: 'slot', owner: 'mosquitto', backup: { kind: 'files' } } as const
const GIB = 1024 * MIB

describe('the schema of a service with one container', () => {
  it('reads the limits of one container as plain values', () => {
    expect(serviceSchema(one).parse({ memory: '64 MiB', cpus: 0.5 })).toEqual({
      ...{ memory: 64 * MIB, cpus: 0.5, level: 3 },
      ...USUAL,
    })
    expect(serviceSchema(one).parse({ memory: '64 MiB' })).toMatchObject({ cpus: 1 })
    const given = { memory: '64 MiB', tasks: 32, cpuWeight: 10_000 }
    expect(serviceSchema(one).parse(given)).toMatchObject({ tasks: 32, cpuWeight: 10_000 })
  })

  it('requires memory, and refuses limits per container', () => {
    expect(serviceSchema(one).safeParse({}).error?.issues[0]?.path).toEqual(['memory'])
    expect(serviceSchema(one).safeParse({ memory: { test: '64 MiB' } }).success).toBe(false)
  })
})

describe('the schema of a service with several containers', () => {
  const memory = { server: '64 MiB', worker: '32 MiB' }

  it('reads the limits per container, with one core by default', () => {
    expect(serviceSchema(several).parse({ memory, cpus: { worker: 2 } })).toEqual({
      memory: { server: 64 * MIB, worker: 32 * MIB },
      cpus: { server: 1, worker: 2 },
      tasks: { server: 256, worker: 256 },
      cpuWeight: { server: 100, worker: 100 },
      level: 3,
    })
    expect(serviceSchema(several).parse({ memory })).toMatchObject({ cpus: { server: 1, worker: 1 } })
  })

  it('requires the memory of every container', () => {
    const { error } = serviceSchema(several).safeParse({ memory: { server: '64 MiB' } })
    expect(error?.issues[0]?.path).toEqual(['memory', 'worker'])
  })

  it('refuses plain values and unknown containers as limits', () => {
    expect(serviceSchema(several).safeParse({ memory: '64 MiB' }).success).toBe(false)
    expect(serviceSchema(several).safeParse({ memory: { ...memory, database: '64 MiB' } }).success).toBe(false)
  })
})

describe('the schema of the quotas', () => {
  const quotas = (volumes: Service['volumes'], disk?: unknown) =>
    serviceSchema(testService({ volumes })).safeParse({ memory: '64 MiB', ...(disk === undefined ? {} : { disk }) })

  it('reads the quota of one volume as a plain value, and uses the recommended one by default', () => {
    expect(quotas({ test: volume }, '2.5 GiB').data).toMatchObject({ disk: 2.5 * GIB })
    expect(quotas({ test: { ...volume, quota: '3 GiB' } }).data).toMatchObject({ disk: 3 * GIB })
    expect(quotas({ test: volume }).data).toMatchObject({ disk: GIB })
  })

  it('reads one value for each of several volumes', () => {
    const volumes = { test: volume, cache: { ...volume, quota: '512 MiB' } }
    expect(quotas(volumes, { test: '2 GiB' }).data).toMatchObject({ disk: { test: 2 * GIB, cache: 512 * MIB } })
    expect(quotas(volumes, '2 GiB').success).toBe(false)
    expect(quotas(volumes, { other: '2 GiB' }).success).toBe(false)
  })

  it('refuses a quota for a service without a volume', () => {
    expect(quotas({}).data).not.toHaveProperty('disk')
    expect(quotas({}, '2 GiB').success).toBe(false)
  })
})

describe('hostService', () => {
  it('separates limits from options of a service', () => {
    const withData = { ...one, volumes: { test: volume } }
    expect(hostService(withData, { memory: 64, cpus: 0.5, ...USUAL, disk: 9, ...{ level: 3 } })).toEqual({
      name: 'test',
      limits: { test: { memory: 64, cpus: 0.5, ...USUAL } },
      disk: { test: 9 },
      options: { level: 3 },
    })
  })

  it('keeps the limits of each container', () => {
    const given = {
      memory: { server: 64, worker: 32 },
      cpus: { server: 1, worker: 2 },
      cpuWeight: { server: 1, worker: 7 },
    }
    expect(hostService(several, { ...given, tasks: { server: 16, worker: 32 } }).limits).toEqual({
      server: { memory: 64, cpus: 1, tasks: 16, cpuWeight: 1 },
      worker: { memory: 32, cpus: 2, tasks: 32, cpuWeight: 7 },
    })
  })
})
