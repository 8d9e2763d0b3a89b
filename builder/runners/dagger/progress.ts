/** An output line of a command in the engine. */
export interface OutputLine {
  /** The name of the command. */
  readonly name: string
  readonly line: string
}

/**
 * Finds output lines of the named commands in the output of Dagger's CLI (`--progress plain`), which arrives in pieces.
 * `12 : withExec … NAME …` gives a command a number, `12 : [3.1s] | line` is a line of its output. Skips all other
 * lines. Only live logs depend on this format.
 */
export function plainProgress(names: ReadonlySet<string>): (piece: string) => OutputLine[] {
  const numbered = new Map<string, string>()
  let rest = ''
  return (piece) => {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    return lines.flatMap((line) => readLine(line.replace(COLOR, ''), names, numbered))
  }
}

const COLOR = /\x1b\[[0-9;]*m/g
const NUMBERED = /^(\d+) *: (?:┆ )*(.*)$/
const LINE = /^\[[\d.dhms]+\] \|(?: |$)(.*)$/

function readLine(line: string, names: ReadonlySet<string>, numbered: Map<string, string>): OutputLine[] {
  const [, number = '', text = ''] = NUMBERED.exec(line) ?? []
  const output = LINE.exec(text)
  const known = numbered.get(number)
  if (output !== null) return known === undefined ? [] : [{ name: known, line: output[1] ?? '' }]
  const name = known ?? text.split(/[\s"',]+/).find((word) => names.has(word))
  if (name !== undefined) numbered.set(number, name)
  return []
}
