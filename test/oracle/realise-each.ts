import { openBuildContext } from '../../builder/context.ts'
import { type StepTime, timeSteps } from '../../builder/step-times.ts'
import { plainReporter } from '../../cli/display/plain.ts'
import { type Derivation, derivationDigest, type Output } from '../../images/derivation.ts'

export interface Realised {
  readonly name: string
  readonly output: Output
  readonly made: StepTime
}

/** Realises derivations with the store of this machine, one after the other, to measure the time of each. */
export async function realiseEach(project: string, derivations: readonly Derivation[]): Promise<Realised[]> {
  const lines = plainReporter((line) => process.stdout.write(`${line}\n`), { now: () => performance.now() })
  const timed = timeSteps(lines)
  const signal = new AbortController().signal
  const given = { env: process.env, project, reporter: timed.reporter, now: new Date(), signal }
  // A Dagger engine could run them on another machine.
  const { runner } = await openBuildContext({ ...given, runner: 'local' })
  const realised: Realised[] = []
  for (const derivation of derivations) {
    const outputs = await runner.realise([derivation], timed.reporter)
    const output = outputs.get(derivationDigest(derivation)) ?? {}
    realised.push({ name: derivation.name, output, made: timed.of(derivation.name) })
  }
  lines.close()
  return realised
}
