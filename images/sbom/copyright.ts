/** The licence of some files, from a copyright file. */
export interface LicenceStatement {
  /** The first line of the field License: short names, joined by `and` and `or`. Empty if the field has only a text. */
  readonly synopsis: string
  /** The text of the licence, or a notice. Empty if a separate stanza has the text. */
  readonly text: string
}

/** A machine-readable copyright file. */
export interface Copyright {
  /** Licences of the package and of its files, in the order of the copyright file. */
  readonly statements: readonly LicenceStatement[]
  /** Short name in lower case -> text, from the stanzas that have only a licence. */
  readonly texts: ReadonlyMap<string, string>
}

const FORMAT = /^https?:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/?$/

/**
 * Parses debian/copyright by "Machine-readable debian/copyright file" 1.0 (formerly DEP-5). Returns undefined for other
 * formats, drafts of this format, and files with syntax errors: a partial result could be wrong.
 */
export function parseCopyright(text: string): Copyright | undefined {
  const stanzas = splitStanzas(text).map(parseStanza)
  if (!stanzas.every((each) => each !== undefined)) return undefined
  const [header, ...others] = stanzas
  if (header === undefined || !FORMAT.test(header.get('format') ?? '')) return undefined
  const files = others.filter((each) => each.has('files'))
  const whole = header.has('license') ? [header] : []
  const statements = [...whole, ...files].map(statementOf)
  if (files.length === 0 || !statements.every((each) => each !== undefined)) return undefined
  const alone = others.filter((each) => !each.has('files')).flatMap((each) => statementOf(each) ?? [])
  return { statements, texts: new Map(alone.map((each) => [each.synopsis.toLowerCase(), each.text])) }
}

/** Fields that this parser reads. A stanza that has one of them twice is ambiguous. */
const READ: ReadonlySet<string> = new Set(['format', 'files', 'license'])

/** Field name in lower case -> value. The lines of a value are joined by newlines. */
type Stanza = ReadonlyMap<string, string>

function splitStanzas(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/^\uFEFF/, '')
    .split(/\n{2,}/)
    .map((stanza) => stanza.replace(/^\n+|\s+$/g, ''))
    .filter((stanza) => stanza !== '')
}

/** Undefined if a line is neither a field nor a continuation line, or if a field in `READ` occurs twice. */
function parseStanza(text: string): Stanza | undefined {
  const fields = new Map<string, string>()
  let name: string | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue
    const field = /^([!-9;-~]+):(.*)$/.exec(line)
    if (field !== null) {
      name = field[1]?.toLowerCase() ?? ''
      if (fields.has(name) && READ.has(name)) return undefined
      fields.set(name, field[2]?.trim() ?? '')
    } else if (/^[ \t]/.test(line) && name !== undefined) {
      fields.set(name, `${fields.get(name)}\n${plainLine(line)}`)
    } else return undefined
  }
  return fields
}

/** A continuation line without its leading space. A single dot means an empty line, as in a long description. */
function plainLine(line: string): string {
  const rest = line.slice(1).trimEnd()
  return rest === '.' ? '' : rest
}

function statementOf(stanza: Stanza): LicenceStatement | undefined {
  const [synopsis = '', ...lines] = (stanza.get('license') ?? '').split('\n')
  const text = lines.join('\n').trimEnd()
  return synopsis === '' && text === '' ? undefined : { synopsis, text }
}
