import { describe, expect, it } from 'vitest'
import { requireSuitable, requireSuitableScripts } from '../../../images/layers/unsuitable-packages.ts'
import { BASE_PACKAGES } from '../../../overlays/base/packages.ts'

const named = (...names: string[]) => names.map((name) => ({ package: name }))

describe('requireSuitable', () => {
  it.each([
    'ssl-cert',
    'freeradius',
    'freeradius-config',
    'postgresql',
    'postgresql-17',
    'default-mysql-server',
    'mariadb-server',
    'mysql-server-8.4',
    'slapd',
    'ejabberd',
    'rabbitmq-server',
    'mailman3',
    'roundcube-core',
    'bind9',
    'nsd',
    'dropbear-initramfs',
    'open-iscsi',
    'nvme-cli',
    'popularity-contest',
    'clamav-freshclam',
    'mdadm',
  ])('refuses %s in the base layer, by name', (name) => {
    expect(() => requireSuitable(named('bash', name))).toThrow(`'${name}' makes `)
  })

  it('names all packages, what they make, and what to do with each', () => {
    const attempt = () => requireSuitable(named('ssl-cert', 'bash', 'postgresql-17', 'slapd', 'ssl-cert'))
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'carry',
        message:
          "the base layer cannot have these packages, because their scripts run on the builder: 'ssl-cert' makes a private key and its certificate; 'postgresql-17' makes a database cluster; 'slapd' makes a database with a random password",
        hint: 'ssl-cert: leave it out, and make the file on the host at its first start, with a unit that writes below /data; postgresql-17, slapd: run it as a container, with its data on a volume',
      }),
    )
  })

  it.each([
    ...BASE_PACKAGES,
    'postgresql-client-17',
    'mariadb-client',
    'bind9-dnsutils',
    'libfreeradius3',
    'exim4-daemon-light',
  ])('accepts %s', (name) => {
    expect(() => requireSuitable(named(name))).not.toThrow()
  })
})

describe('requireSuitableScripts', () => {
  it('refuses a container whose packages make something in their scripts, and names all of them', () => {
    const packages = named('ssl-cert', 'bash', 'postgresql-17')
    expect(() => requireSuitableScripts('db', packages, [])).toThrow(
      expect.objectContaining({
        code: 'carry',
        message:
          "container 'db' cannot have what the scripts of these packages make, because they run on the builder: 'ssl-cert' makes a private key and its certificate; 'postgresql-17' makes a database cluster",
        hint: "add 'ssl-cert', 'postgresql-17' to 'withoutScripts' of the image in overlays/services, and make the file in the container at its first start, on a volume",
      }),
    )
  })

  it('accepts such packages if their scripts do not run', () => {
    const packages = named('ssl-cert', 'bash', 'postgresql-17')
    expect(() => requireSuitableScripts('db', packages, ['postgresql-17', 'ssl-cert'])).not.toThrow()
    expect(() => requireSuitableScripts('db', packages, ['postgresql-17'])).toThrow("'ssl-cert' makes ")
  })
})
