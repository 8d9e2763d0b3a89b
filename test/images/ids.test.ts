import { describe, expect, it } from 'vitest'
import { DEBIAN_GROUPS, DEBIAN_USERS } from '../../images/debian-ids.ts'
import { ACCOUNTS, accountId, accounts, containerAccounts } from '../../images/ids.ts'

/** Numbers that are on owners' disks. Add a new account's line; never change one or take one out. */
const GIVEN_OUT: Readonly<Record<string, number>> = {
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
}

type Numbered = { readonly name: string; readonly id: number }

/** What is wrong with a table for disks that carry these numbers. */
function broken(table: readonly Numbered[], given: Readonly<Record<string, number>>): string[] {
  const now = new Map(table.map(({ name, id }) => [name, id]))
  return Object.entries(given).flatMap(([name, id]) => {
    if (now.get(name) === id) return []
    const instead = now.has(name) ? `is ${now.get(name)} now` : 'is gone'
    return [`'${name}' had the id ${id} and ${instead}: files on data volumes still carry ${id}`]
  })
}

const field = (line: string, at: number) => line.split(':')[at] ?? ''
const idsOf = (lines: readonly string[]) => lines.map((line) => Number(field(line, 2)))
const linesOf = (text: string) => text.split('\n').slice(0, -1)

describe('the table of ids', () => {
  it('keeps every number that was ever given out', () => {
    expect(broken(ACCOUNTS, GIVEN_OUT)).toEqual([])
  })

  it('may grow: a new account breaks nothing, a changed or lost one does', () => {
    expect(broken([...ACCOUNTS, { name: 'grafana', id: 122 }], GIVEN_OUT)).toEqual([])
    const moved = ACCOUNTS.filter(({ name }) => name !== 'sshd').map(({ name, id }) => ({
      name,
      id: name === 'prometheus' ? 122 : id,
    }))
    expect(broken(moved, GIVEN_OUT)).toEqual([
      "'sshd' had the id 106 and is gone: files on data volumes still carry 106",
      "'prometheus' had the id 108 and is 122 now: files on data volumes still carry 108",
    ])
  })

  it('gives no name and no number twice, Debian’s own included', () => {
    const names = [...DEBIAN_GROUPS.map((line) => field(line, 0)), ...ACCOUNTS.map(({ name }) => name)]
    const ids = [...idsOf(DEBIAN_GROUPS), ...ACCOUNTS.map(({ id }) => id)]
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    const users = [...DEBIAN_USERS.map((line) => field(line, 0)), ...ACCOUNTS.map(({ name }) => name)]
    expect(users.filter((name, at) => users.indexOf(name) !== at)).toEqual([])
  })

  it('stays in the range that Debian keeps for a system’s own accounts', () => {
    expect(ACCOUNTS.filter(({ id }) => id < 101 || id > 999)).toEqual([])
  })

  it('has nothing in a line that would break it', () => {
    expect(ACCOUNTS.filter(({ name, home, about }) => /[:\n]/.test(name + home + about))).toEqual([])
  })
})

describe('an account’s id', () => {
  it('is the table’s', () => {
    expect(accountId('mosquitto')).toBe(120)
  })

  it('that is not in the table is an error with the line to add, whose number is free', () => {
    const highest = Math.max(...ACCOUNTS.map(({ id }) => id))
    expect(() => accountId('grafana')).toThrow(
      expect.objectContaining({
        code: 'ids',
        message: "no user 'grafana' in the id table",
        hint: `add to the end of ACCOUNTS in images/ids.ts: user('grafana', ${highest + 1}, '…'),`,
      }),
    )
  })
})

describe('a host’s accounts', () => {
  const { passwd, group, shadow, gshadow } = accounts()

  it('have the number of fields that each file has, on every line', () => {
    const fields = (text: string) => [...new Set(linesOf(text).map((line) => line.split(':').length))]
    expect([passwd, group, shadow, gshadow].map(fields)).toEqual([[7], [4], [9], [4]])
  })

  it('name the same users in passwd and shadow, and the same groups in group and gshadow', () => {
    const names = (text: string) => linesOf(text).map((line) => field(line, 0))
    expect(names(shadow)).toEqual(names(passwd))
    expect(names(gshadow)).toEqual(names(group))
  })

  it('let nobody in with a password', () => {
    expect([...new Set(linesOf(shadow).map((line) => field(line, 1)))]).toEqual(['*'])
  })

  it('give a shell to root alone', () => {
    const shells = linesOf(passwd).filter((line) => !/(nologin|\/bin\/sync)$/.test(line))
    expect(shells.map((line) => field(line, 0))).toEqual(['root'])
  })

  it('have a group for every user’s number', () => {
    const groups = new Set(linesOf(group).map((line) => field(line, 2)))
    expect(linesOf(passwd).filter((line) => !groups.has(field(line, 3)))).toEqual([])
  })

  it('make of a group alone no user', () => {
    expect(group).toContain('systemd-journal:x:101:\n')
    expect(passwd).not.toContain('systemd-journal')
    expect(passwd).toContain('prometheus:x:108:108:Prometheus daemon:/var/lib/prometheus:/usr/sbin/nologin\n')
  })

  it('put sshd into nogroup, as Debian’s package does', () => {
    expect(passwd).toContain('sshd:x:106:65534:sshd user:/run/sshd:/usr/sbin/nologin\n')
  })
})

describe('a container’s accounts', () => {
  it('are root, the one user it runs as, and nobody', () => {
    const { passwd, group } = containerAccounts('mosquitto')
    expect(linesOf(passwd).map((line) => line.split(':').slice(0, 4).join(':'))).toEqual([
      'root:x:0:0',
      'mosquitto:x:120:120',
      'nobody:x:65534:65534',
    ])
    expect(linesOf(group)).toEqual(['root:x:0:', 'mosquitto:x:120:', 'nogroup:x:65534:'])
  })

  it('of a user that is not in the table are refused', () => {
    expect(() => containerAccounts('grafana')).toThrow("no user 'grafana' in the id table")
  })
})
