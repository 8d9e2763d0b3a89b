import { inject, vi } from 'vitest'
import { measureSlowdown, scaled } from './machine-speed.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The limit for one test or hook on an idle machine. */
    minutesPerTest: number
  }
}

// Vitest runs this file before each test file, because its own limits are the only ones that the helpers cannot extend.
const slowdown = await measureSlowdown()
const limit = scaled(inject('minutesPerTest') * 60, slowdown) * 1000
vi.setConfig({ testTimeout: limit, hookTimeout: limit })
if (slowdown > 1.2) console.log(`this machine is slow or busy: deadlines are ${slowdown.toFixed(1)} × as long`)
