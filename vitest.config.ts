import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/helpers/closing-line.ts'

const MINUTE = 60_000

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLine()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          testTimeout: MINUTE,
          // Most of them wait for programs; vitest leaves a core to itself.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
          // It imports its schema as bundlers do, without saying that it is JSON.
          server: { deps: { inline: ['@actions/workflow-parser'] } },
        },
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
      // Everything that may go wrong with an update, one failure after the other: most of an hour.
      {
        test: {
          name: 'matrix',
          include: ['test/matrix/**/*.matrix.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          testTimeout: 20 * MINUTE,
          hookTimeout: 20 * MINUTE,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
      // The power is cut at every write of an update: a recording of one machine, minutes of judging, some real boots.
      {
        test: {
          name: 'sweep',
          include: ['test/power-cut/*.sweep.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          testTimeout: 60 * MINUTE,
          hookTimeout: 60 * MINUTE,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      // On a real Dagger engine, and where there is none a failure that says so.
      {
        test: {
          name: 'dagger',
          include: ['test/dagger/**/*.dagger.ts'],
          testTimeout: 30 * MINUTE,
          hookTimeout: 30 * MINUTE,
          fileParallelism: false,
          sequence: { groupOrder: 6 },
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
