import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with the plain line that continuous integration reads: `N passed, N failed, N skipped`. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = modules.flatMap((each) => [...each.children.allTests()].map((test) => test.result().state))
    const count = (wanted: string) => states.filter((state) => state === wanted).length
    // A test file that cannot be loaded contains no failed test, so the count includes such files.
    const broken = modules.filter((each) => each.errors().length > 0).length
    console.log(`\n${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`)
  }
}
