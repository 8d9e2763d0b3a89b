import { describe, expect, it } from 'vitest'
import { DEBIAN_GROUPS, DEBIAN_USERS } from '../../images/debian-ids.ts'
import { ACCOUNTS, accountId, accounts, containerAccounts } from '../../images/ids.ts'

/** Ids that are on existing disks. Add a line for a new account. Never change or remove a line. */
const USED_IDS: Readonly<Record<string, number>> = {
  'systemd-journal': 101,
  'systemd-network': 102,
  'systemd-resolve': 103,
  'systemd-timesync': 104,
  messagebus: 105,
  sshd: 106,
  _ssh: 107,
  prometheus: 108,
  input: 109,
  kvm: 110,
  render: 111,
  sgx: 112,
  clock: 113,
  netdev: 114,
  crontab: 115,
  polkitd: 116,
  mosquitto: 120,
  alertmanager: 121,
  caddy: 122,
  acme: 123,
}

type Numbered = { readonly name: string; readonly id: number }

/** The problems of a table with disks that have these ids. */
function problemsOf(table: readonly Numbered[], given: Readonly<Record<string, number>>): string[] {
  const now = new Map(table.map(({ name, id }) => [name, id]))
  return Object.entries(given).flatMap(([name, id]) => {
    if (now.get(name) === id) return []
    const instead = now.has(name) ? `now has ${now.get(name)}` : 'is missing'
    return [`'${name}' had the id ${id} and ${instead}: files on data volumes still have ${id}`]
  })
}

const field = (line: string, at: number) => line.split(':')[at] ?? ''
const idsOf = (lines: readonly string[]) => lines.map((line) => Number(field(line, 2)))
const linesOf = (text: string) => text.split('\n').slice(0, -1)

describe('the id table', () => {
  it('the id table keeps every id that was ever used', () => {
    expect(problemsOf(ACCOUNTS, USED_IDS)).toEqual([])
  })

  it('the id table may get new accounts, but no account may change or disappear', () => {
    expect(problemsOf([...ACCOUNTS, { name: 'grafana', id: 124 }], USED_IDS)).toEqual([])
    const moved = ACCOUNTS.filter(({ name }) => name !== 'sshd').map(({ name, id }) => ({
      name,
      id: name === 'prometheus' ? 122 : id,
    }))
    expect(problemsOf(moved, USED_IDS)).toEqual([
      "'sshd' had the id 106 and is missing: files on data volumes still have 106",
      "'prometheus' had the id 108 and now has 122: files on data volumes still have 108",
    ])
  })

  it('the id table has unique names and ids, including those of Debian', () => {
    const names = [...DEBIAN_GROUPS.map((line) => field(line, 0)), ...ACCOUNTS.map(({ name }) => name)]
    const ids = [...idsOf(DEBIAN_GROUPS), ...ACCOUNTS.map(({ id }) => id)]
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    const users = [...DEBIAN_USERS.map((line) => field(line, 0)), ...ACCOUNTS.map(({ name }) => name)]
    expect(users.filter((name, at) => users.indexOf(name) !== at)).toEqual([])
  })

  it('the id table uses only ids in Debian’s range for system accounts', () => {
    expect(ACCOUNTS.filter(({ id }) => id < 101 || id > 999)).toEqual([])
  })

  it('the id table has no colon and no newline in a field', () => {
    expect(ACCOUNTS.filter(({ name, home, about }) => /[:\n]/.test(name + home + about))).toEqual([])
  })
})

describe('accountId', () => {
  it('returns the id of a user in the table', () => {
    expect(accountId('mosquitto')).toBe(120)
  })

  it('refuses a user that is not in the table, and suggests a line with a free id', () => {
    const highest = Math.max(...ACCOUNTS.map(({ id }) => id))
    expect(() => accountId('grafana')).toThrow(
      expect.objectContaining({
        code: 'ids',
        message: "the id table has no user 'grafana'",
        hint: `append to ACCOUNTS in images/ids.ts: user('grafana', ${highest + 1}, '…'),`,
      }),
    )
  })
})

describe('the account files of a host', () => {
  const { passwd, group, shadow, gshadow } = accounts()

  it('account files have the right number of fields on every line', () => {
    const fields = (text: string) => [...new Set(linesOf(text).map((line) => line.split(':').length))]
    expect([passwd, group, shadow, gshadow].map(fields)).toEqual([[7], [4], [9], [4]])
  })

  it('passwd and shadow name the same users, and group and gshadow the same groups', () => {
    const names = (text: string) => linesOf(text).map((line) => field(line, 0))
    expect(names(shadow)).toEqual(names(passwd))
    expect(names(gshadow)).toEqual(names(group))
  })

  it('account files allow no login with a password', () => {
    expect([...new Set(linesOf(shadow).map((line) => field(line, 1)))]).toEqual(['*'])
  })

  it('account files give only root a shell', () => {
    const shells = linesOf(passwd).filter((line) => !/(nologin|\/bin\/sync)$/.test(line))
    expect(shells.map((line) => field(line, 0))).toEqual(['root'])
  })

  it('account files have a group for the gid of every user', () => {
    const groups = new Set(linesOf(group).map((line) => field(line, 2)))
    expect(linesOf(passwd).filter((line) => !groups.has(field(line, 3)))).toEqual([])
  })

  it('account files have no user for an account of the kind group', () => {
    expect(group).toContain('systemd-journal:x:101:\n')
    expect(passwd).not.toContain('systemd-journal')
    expect(passwd).toContain('prometheus:x:108:108:Prometheus daemon:/var/lib/prometheus:/usr/sbin/nologin\n')
  })

  it('account files put sshd into the group nogroup, as Debian’s package does', () => {
    expect(passwd).toContain('sshd:x:106:65534:sshd user:/run/sshd:/usr/sbin/nologin\n')
  })
})

describe('containerAccounts', () => {
  it('returns root, the user of the container, and nobody as accounts of a container', () => {
    const { passwd, group } = containerAccounts('mosquitto')
    expect(linesOf(passwd).map((line) => line.split(':').slice(0, 4).join(':'))).toEqual([
      'root:x:0:0',
      'mosquitto:x:120:120',
      'nobody:x:65534:65534',
    ])
    expect(linesOf(group)).toEqual(['root:x:0:', 'mosquitto:x:120:', 'nogroup:x:65534:'])
  })

  it('refuses a user that is not in the table', () => {
    expect(() => containerAccounts('grafana')).toThrow("the id table has no user 'grafana'")
  })
})
