import type { StepTime } from '../../builder/step-times.ts'
import type { Realised } from './realise-each.ts'

/** A Markdown table of the outputs and times of two builders, with one row per derivation. */
export function comparisonTable(native: readonly Realised[], emulated: readonly Realised[]): string {
  const emulatedByName = new Map(emulated.map((each) => [each.name, each]))
  const rows = native.map(({ name, output, made }) => {
    const other = emulatedByName.get(name)
    const isSame = JSON.stringify(output) === JSON.stringify(other?.output)
    const size = Object.values(output).reduce((sum, file) => sum + file.size, 0)
    return `| ${name} | ${size} | ${isSame ? 'the same' : 'different'} | ${took(made)} | ${took(other?.made)} |\n`
  })
  return ['| derivation | bytes | output | native | emulated |\n', '|---|---|---|---|---|\n', ...rows].join('')
}

function took(made: StepTime | undefined): string {
  return made?.kind === 'built' ? `${(made.took / 1000).toFixed(1)} s` : 'reused'
}
