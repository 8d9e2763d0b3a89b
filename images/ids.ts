import { UserError } from '../errors.ts'
import { DEBIAN_GROUPS, DEBIAN_USERS, LAST_ID } from './debian-ids.ts'

/** A user with a group of the same name and number, or only a group. */
export interface Account {
  readonly name: string
  /** The uid and the gid. */
  readonly id: number
  readonly kind: 'user' | 'group'
  readonly home: string
  readonly shell: string
  readonly about: string
}

const NO_LOGIN = '/usr/sbin/nologin'

const user = (name: string, id: number, about: string, home = '/nonexistent', shell = NO_LOGIN): Account => ({
  name,
  id,
  kind: 'user',
  home,
  shell,
  about,
})
const group = (name: string, id: number, about: string): Account => ({
  name,
  id,
  kind: 'group',
  home: '',
  shell: '',
  about,
})

/**
 * Users and groups of hosts and containers, in addition to Debian's fixed ones. Only append to this table: files on data
 * volumes have these numbers, so never change a line and never reuse a number.
 */
export const ACCOUNTS: readonly Account[] = [
  group('systemd-journal', 101, 'may read the journal'),
  user('systemd-network', 102, 'systemd Network Management', '/'),
  user('systemd-resolve', 103, 'systemd Resolver', '/'),
  user('systemd-timesync', 104, 'systemd Time Synchronization', '/'),
  user('messagebus', 105, 'System Message Bus'),
  user('sshd', 106, 'sshd user', '/run/sshd'),
  group('_ssh', 107, 'ssh-agent runs with it'),
  user('prometheus', 108, 'Prometheus daemon', '/var/lib/prometheus'),
  group('input', 109, 'input devices'),
  group('kvm', 110, 'virtual machines'),
  group('render', 111, 'graphics'),
  group('sgx', 112, 'enclaves'),
  group('clock', 113, 'clock devices'),
  group('netdev', 114, 'network devices'),
  group('crontab', 115, 'cron'),
  user('polkitd', 116, 'User for polkitd', '/'),
  user('mosquitto', 120, 'MQTT broker'),
  user('alertmanager', 121, 'Prometheus alert manager'),
  user('caddy', 122, 'web server'),
  user('acme', 123, 'ACME client'),
  user('zigbee2mqtt', 124, 'Zigbee to MQTT bridge'),
  user('node-red', 125, 'Automation by flows'),
]

/** The number of a user. If the table does not have the user, throws an error that shows the line to add. */
export function accountId(name: string): number {
  const found = ACCOUNTS.find((each) => each.name === name)
  if (found !== undefined) return found.id
  const next = Math.max(...ACCOUNTS.map(({ id }) => id)) + 1
  throw new UserError('ids', `the id table has no user '${name}'`, {
    hint: `append to ACCOUNTS in images/ids.ts: user('${name}', ${next}, '…'),`,
  })
}

/** The files passwd, group, shadow and gshadow of a host. No user has a password, because logins use SSH keys. */
export function accounts(): Readonly<Record<'passwd' | 'group' | 'shadow' | 'gshadow', string>> {
  const users = [...DEBIAN_USERS, ...ACCOUNTS.filter(({ kind }) => kind === 'user').map(passwdLine)]
  const groups = [...DEBIAN_GROUPS, ...ACCOUNTS.map(groupLine)]
  return {
    passwd: lines(users),
    group: lines(groups),
    shadow: lines(users.map((line) => `${firstField(line)}:*:20089:0:99999:7:::`)),
    gshadow: lines(groups.map((line) => `${firstField(line)}:*::`)),
  }
}

/** The files passwd and group of a container that runs as one user. */
export function containerAccounts(name: string): { readonly passwd: string; readonly group: string } {
  accountId(name)
  const [root = '', noUser = ''] = [DEBIAN_USERS[0], DEBIAN_USERS.at(-1)]
  const [rootGroup = '', noGroup = ''] = [DEBIAN_GROUPS[0], DEBIAN_GROUPS.at(-1)]
  const own = ACCOUNTS.filter((each) => each.name === name)
  return {
    passwd: lines([root, ...own.map(passwdLine), noUser]),
    group: lines([rootGroup, ...own.map(groupLine), noGroup]),
  }
}

// Debian's package creates the user sshd in the group nogroup, which is the last one.
function passwdLine({ name, id, home, shell, about }: Account): string {
  return `${name}:x:${id}:${name === 'sshd' ? LAST_ID : id}:${about}:${home}:${shell}`
}

function groupLine({ name, id }: Account): string {
  return `${name}:x:${id}:`
}

function firstField(line: string): string {
  return line.split(':')[0] ?? ''
}

function lines(items: readonly string[]): string {
  return items.map((line) => `${line}\n`).join('')
}
