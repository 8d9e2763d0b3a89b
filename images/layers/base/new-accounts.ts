import { LAST_ID } from '../../debian-ids.ts'
import { Refusal } from '../../refusal.ts'

/** The texts of passwd and group. */
export interface AccountTexts {
  readonly passwd: string
  readonly group: string
}

interface Added {
  readonly name: string
  readonly kind: 'user' | 'group'
  readonly about: string
  readonly home: string
  readonly shell: string
}

/**
 * Refuses users and groups that scripts added since `before`: with another package set, another account could get their
 * id. The hint has the lines for all of them, with numbers that the id table does not have.
 */
export function refuseNewAccounts(table: AccountTexts, before: AccountTexts, now: AccountTexts): void {
  const users = newLines(before.passwd, now.passwd).map(
    ([name = '', , , , about = '', home = '', shell = '']): Added => {
      return { name, kind: 'user', about, home, shell }
    },
  )
  const groups = newLines(before.group, now.group)
    .map(([name = '']): Added => ({ name, kind: 'group', about: '', home: '', shell: '' }))
    // A user of the table has a group of the same name and number.
    .filter(({ name }) => !users.some((user) => user.name === name))
  const added = [...users, ...groups]
  if (added.length === 0) return
  const first = Math.max(...[table.passwd, table.group].flatMap(idsOf)) + 1
  throw new Refusal(
    'ids',
    `its packages need ${added.map(({ name, kind }) => `${kind} '${name}'`).join(', ')}, which the id table does not have`,
    `append to ACCOUNTS in images/ids.ts, and build again:\n${added.map((each, index) => `  ${lineFor(each, first + index)}`).join('\n')}`,
  )
}

function newLines(before: string, now: string): string[][] {
  const known = new Set(fieldsOf(before).map(([name]) => name))
  return fieldsOf(now).filter(([name]) => !known.has(name))
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
}

/** The ids of a table, without Debian's last one: no id can follow it. */
function idsOf(text: string): number[] {
  return fieldsOf(text)
    .map(([, , id]) => Number(id))
    .filter((id) => id < LAST_ID)
}

/** A line of the table, with only those of the last fields that differ from their default. */
function lineFor({ name, kind, about, home, shell }: Added, id: number): string {
  const words = [literal(name), id, literal(about.split(',')[0] || '…')]
  if (kind === 'group') return `group(${words.join(', ')}),`
  const needsShell = !/\/(nologin|false)$/.test(shell) && shell !== ''
  if (needsShell || home !== '/nonexistent') words.push(literal(home))
  if (needsShell) words.push(literal(shell))
  return `user(${words.join(', ')}),`
}

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
