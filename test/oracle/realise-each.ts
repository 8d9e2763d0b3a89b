import { openBuildContext } from '../../builder/context.ts'
import { type StepTime, timeSteps } from '../../builder/step-times.ts'
import { plainReporter } from '../../cli/display/plain.ts'
import { type Derivation, derivationDigest, type Output } from '../../images/derivation.ts'

export interface Realised {
  readonly name: string
  readonly output: Output
  readonly made: StepTime
}

/** Realises derivations as a build does, with the machine's own store, but one after the other: each has its own time. */
export async function realiseEach(project: string, derivations: readonly Derivation[]): Promise<Realised[]> {
  const lines = plainReporter((line) => process.stdout.write(`${line}\n`), { now: () => performance.now() })
  const timed = timeSteps(lines)
  const signal = new AbortController().signal
  const given = { env: process.env, project, reporter: timed.reporter, now: new Date(), signal }
  // An engine would run them on a machine of its own choice.
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
