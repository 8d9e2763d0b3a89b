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
          globalSetup: 'test/helpers/programs-in-path.ts',
          testTimeout: MINUTE,
          hookTimeout: MINUTE,
          // By default vitest leaves one core free, but most tests wait for programs.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
          // This package imports JSON without an import attribute, which Node refuses and vite accepts.
          server: { deps: { inline: ['@actions/workflow-parser'] } },
        },
      },
      // Runs after the unit tests, and one virtual machine at a time, because a small builder has only two cores.
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.vm.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          provide: { minutesPerTest: 15 },
          setupFiles: 'test/helpers/scaled-timeouts.ts',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      // Runs the services of the lab in virtual machines, on one host and across hosts.
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.lab.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          provide: { minutesPerTest: 20 },
          setupFiles: 'test/helpers/scaled-timeouts.ts',
          fileParallelism: false,
          sequence: { groupOrder: 7 },
        },
      },
      // Runs updates that fail, each in a different way.
      {
        test: {
          name: 'matrix',
          include: ['test/matrix/**/*.matrix.ts'],
          globalSetup: 'test/helpers/built-image.ts',
          provide: { minutesPerTest: 20 },
          setupFiles: 'test/helpers/scaled-timeouts.ts',
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
      // Cuts the power at every write of an update: records one machine, checks all its disk states, and boots some of
      // them.
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
      // Needs a real Dagger engine, and fails without one.
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
      // Builds the same root file systems under emulation, and compares.
      {
        test: {
          name: 'oracle',
          include: ['test/oracle/**/*.oracle.ts'],
          testTimeout: 30 * MINUTE,
          hookTimeout: 30 * MINUTE,
          sequence: { groupOrder: 2 },
        },
      },
      // Measures durations and writes README's tables, without assertions.
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
