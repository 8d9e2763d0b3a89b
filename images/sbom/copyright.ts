/** What a copyright file says of the licence of some files. */
export interface LicenceStatement {
  /** Short names and what stands between them; empty where only a text is given. */
  readonly synopsis: string
  /** The licence's text, or how it is applied; empty where a stanza of its own has it. */
  readonly text: string
}

/** A copyright file that machines can read. */
export interface Copyright {
  /** Of the package as a whole and of its files, in the file's order. */
  readonly statements: readonly LicenceStatement[]
  /** Short name in lower case -> text, from the stanzas that give a licence's text for all files under it. */
  readonly texts: ReadonlyMap<string, string>
}

const FORMAT = /^https?:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/?$/

/**
 * Reads debian/copyright as Debian's "Machine-readable debian/copyright file" 1.0 has it (first DEP-5). Undefined for any
 * other format, drafts of this one among them, and for a file that breaks its syntax: half of what it says is not what
 * it says.
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

/** Fields that are read here: given twice, nobody can say which one holds. */
const READ: ReadonlySet<string> = new Set(['format', 'files', 'license'])

/** Field in lower case -> value, lines joined by newlines. */
type Stanza = ReadonlyMap<string, string>

function splitStanzas(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/^\uFEFF/, '')
    .split(/\n{2,}/)
    .map((stanza) => stanza.replace(/^\n+|\s+$/g, ''))
    .filter((stanza) => stanza !== '')
}

/** Undefined where a line is neither a field nor the rest of one, or a field is there twice. */
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

/** As in a long description: one space is syntax, and a lone dot stands for an empty line. */
function plainLine(line: string): string {
  const rest = line.slice(1).trimEnd()
  return rest === '.' ? '' : rest
}

function statementOf(stanza: Stanza): LicenceStatement | undefined {
  const [synopsis = '', ...lines] = (stanza.get('license') ?? '').split('\n')
  const text = lines.join('\n').trimEnd()
  return synopsis === '' && text === '' ? undefined : { synopsis, text }
}
