import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { hostService, serviceSchema } from '../../../hosts/schema/services.ts'
import { testService } from '../../helpers/test-service.ts'

const MIB = 2 ** 20
const options = z.strictObject({ level: z.number().default(3) })
const one = testService({ options })
const several = testService({ options, memory: { server: '64 MiB', worker: '32 MiB' } })

describe('the schema of a service with one container', () => {
  it('reads the limits of one container as plain values', () => {
    expect(serviceSchema(one).parse({ memory: '64 MiB', cpus: 0.5 })).toEqual({ memory: 64 * MIB, cpus: 0.5, level: 3 })
    expect(serviceSchema(one).parse({ memory: '64 MiB' })).toMatchObject({ cpus: 1 })
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

describe('hostService', () => {
  it('separates limits from options of a service', () => {
    expect(hostService(one, { memory: 64, cpus: 0.5, ...{ level: 3 } })).toEqual({
      name: 'test',
      limits: { test: { memory: 64, cpus: 0.5 } },
      options: { level: 3 },
    })
  })

  it('keeps the limits of each container', () => {
    const given = { memory: { server: 64, worker: 32 }, cpus: { server: 1, worker: 2 } }
    expect(hostService(several, given).limits).toEqual({
      server: { memory: 64, cpus: 1 },
      worker: { memory: 32, cpus: 2 },
    })
  })
})
