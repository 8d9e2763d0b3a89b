import { describe, expect, it } from 'vitest'
import { DEBIAN_GROUPS, DEBIAN_USERS } from '../../images/debian-ids.ts'
import { digestOf } from '../../images/digest.ts'

/** The file in the package has `*` as password; /etc/passwd and /etc/group have `x`. */
const master = (lines: readonly string[]) => lines.map((line) => `${line.replace(':x:', ':*:')}\n`).join('')

const ids = (lines: readonly string[]) => lines.map((line) => Number(line.split(':')[2]))

describe('the fixed ids of Debian', () => {
  // sha256sum of passwd.master and group.master in /usr/share/base-passwd of base-passwd 3.6.7.
  it("the table of Debian's fixed ids is equal to the one in base-passwd", () => {
    expect(digestOf(master(DEBIAN_USERS))).toBe('461a76b6b52e84fe0b2939fb0a1e7f95eb146a5802ae6993faf8bcdac7233a9b')
    expect(digestOf(master(DEBIAN_GROUPS))).toBe('0cc1a09e6a22f2c31ef0279e880f5e53bfb9fc86eb4a57fa8bfcbcd6ad72fc41')
  })

  it("Debian's fixed ids begin with root, and end with the user nobody and the group nogroup", () => {
    expect([DEBIAN_USERS[0], DEBIAN_USERS.at(-1)].map((line) => line?.split(':')[0])).toEqual(['root', 'nobody'])
    expect([DEBIAN_GROUPS[0], DEBIAN_GROUPS.at(-1)].map((line) => line?.split(':')[0])).toEqual(['root', 'nogroup'])
  })

  it("Debian's fixed ids are unique", () => {
    for (const lines of [DEBIAN_USERS, DEBIAN_GROUPS]) expect(new Set(ids(lines)).size).toBe(lines.length)
  })
})
