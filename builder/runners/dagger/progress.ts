/** A line that a command in the engine said. */
export interface Said {
  /** What the command goes by. */
  readonly name: string
  readonly line: string
}

/**
 * Reads what Dagger's CLI prints of its engine (`--progress plain`), piece by piece, and finds in it what the commands
 * of these names say. `12  : withExec … NAME …` numbers a command, `12  : [3.1s] | line` is a line of it. Whatever else
 * it prints, and any other form of it, is passed over: nothing but a look at a log depends on it.
 */
export function plainProgress(names: ReadonlySet<string>): (piece: string) => Said[] {
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

function readLine(line: string, names: ReadonlySet<string>, numbered: Map<string, string>): Said[] {
  const [, number = '', text = ''] = NUMBERED.exec(line) ?? []
  const said = LINE.exec(text)
  const known = numbered.get(number)
  if (said !== null) return known === undefined ? [] : [{ name: known, line: said[1] ?? '' }]
  const name = known ?? text.split(/[\s"',]+/).find((word) => names.has(word))
  if (name !== undefined) numbered.set(number, name)
  return []
}
