import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/helpers/closing-line.ts'

const MINUTE = 60_000

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLine()],
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], testTimeout: MINUTE, sequence: { groupOrder: 0 } },
      },
      // After the rest, one machine at a time: two emulated cores are all that a small builder has.
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.vm.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          testTimeout: 15 * MINUTE,
          hookTimeout: 15 * MINUTE,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      // Minutes under emulation: run when the way in which roots are made has changed.
      {
        test: {
          name: 'oracle',
          include: ['test/oracle/**/*.oracle.ts'],
          testTimeout: 30 * MINUTE,
          hookTimeout: 30 * MINUTE,
          sequence: { groupOrder: 2 },
        },
      },
      // Asserts nothing: measures, and writes the README's table.
      {
        test: {
          name: 'bench',
          include: ['test/bench/**/*.bench.ts'],
          testTimeout: 30 * MINUTE,
          hookTimeout: 30 * MINUTE,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
