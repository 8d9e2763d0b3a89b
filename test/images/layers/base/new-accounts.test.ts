import { describe, expect, it } from 'vitest'
import { ACCOUNTS, accounts } from '../../../../images/ids.ts'
import { type AccountTexts, refuseNewAccounts } from '../../../../images/layers/base/new-accounts.ts'

const TABLE: AccountTexts = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nknown:x:120:120:::/usr/sbin/nologin\nnobody:x:65534:65534:::/bin/false\n',
  group: 'root:x:0:\nknown:x:120:\nextra:x:121:\nnogroup:x:65534:\n',
}

function refusal(now: Partial<AccountTexts>, table = TABLE): unknown {
  try {
    refuseNewAccounts(table, table, { ...table, ...now })
    return undefined
  } catch (error) {
    return error
  }
}

describe('refuseNewAccounts', () => {
  it('accepts the table, and new members of a known group', () => {
    expect(refusal({})).toBeUndefined()
    expect(refusal({ group: TABLE.group.replace('extra:x:121:', 'extra:x:121:known') })).toBeUndefined()
  })

  it('asks for all users and groups at once, with the next numbers of the table', () => {
    const passwd = `${TABLE.passwd}lp-admin:x:100:100:Jane's printer,,,:/nonexistent:/usr/sbin/nologin\n`
    const group = `${TABLE.group}lp-admin:x:100:\nscanner:x:101:\n`
    expect(refusal({ passwd, group })).toMatchObject({
      code: 'ids',
      message: "its packages need user 'lp-admin', group 'scanner', which the id table does not have",
      hint: [
        'append to ACCOUNTS in images/ids.ts, and build again:',
        "  user('lp-admin', 122, 'Jane\\'s printer'),",
        "  group('scanner', 123, '…'),",
      ].join('\n'),
    })
  })

  it('gives a user the home and the shell that its package wants', () => {
    const passwd = `${TABLE.passwd}postgres:x:100:100:PostgreSQL:/var/lib/postgresql:/bin/bash\nweb:x:101:101::/srv:/bin/false\n`
    const { hint } = refusal({ passwd }) as { hint: string }
    expect(hint).toContain("user('postgres', 122, 'PostgreSQL', '/var/lib/postgresql', '/bin/bash'),")
    expect(hint).toContain("user('web', 123, '…', '/srv'),")
  })

  it('does not ask for accounts that existed before the scripts ran', () => {
    const before = { ...TABLE, passwd: `${TABLE.passwd}helper:x:100:100:::/bin/false\n` }
    expect(() => refuseNewAccounts(TABLE, before, before)).not.toThrow()
  })

  it('continues the numbers of the real table', () => {
    const table = accounts()
    const { hint } = refusal({ group: `${table.group}new:x:999:\n` }, table) as { hint: string }
    const next = Math.max(...ACCOUNTS.map(({ id }) => id)) + 1
    expect(hint).toContain(`group('new', ${next}, '…'),`)
  })
})
