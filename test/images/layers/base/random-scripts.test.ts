import { describe, expect, it } from 'vitest'
import { requirePlainScripts } from '../../../../images/layers/base/random-scripts.ts'
import type { Purpose } from '../../../../images/layers/purpose.ts'
import { Refusal } from '../../../../images/refusal.ts'

const deb = (name: string, script: string, text: string) => ({
  fields: new Map([['Package', name]]),
  files: [],
  control: new Map([[script, Buffer.from(text, 'latin1')]]),
})
const check = (text: string, { name = 'maker', script = 'postinst' } = {}, purpose: Purpose = 'host') =>
  requirePlainScripts([deb('plain', 'postinst', 'true\n'), deb(name, script, `#!/bin/sh\n${text}\n`)], purpose)

describe('requirePlainScripts', () => {
  // Lines of Debian's scripts: ssl-cert, freeradius-config, postgresql, mariadb-server, bind9, nsd, nvme-cli, open-iscsi, …
  it.each([
    ['keys', 'make-ssl-cert generate-default-snakeoil'],
    ['keys', 'RANDFILE=/dev/null openssl dhparam -out /etc/freeradius/3.0/certs/dh 1024'],
    ['keys', 'openssl req -new -x509 -days 365 -nodes -out /etc/ejabberd/ejabberd.pem'],
    ['keys', 'ssh-keygen -q -t ed25519 -N "" -f /etc/x_key'],
    ['keys', "dropbearkey -t ed25519 -f '/etc/x'"],
    ['keys', '\trndc-confgen -a'],
    ['keys', 'nsd-control-setup >/dev/null 2>&1 || true'],
    ['keys', 'gpg --batch --quick-generate-key x'],
    ['a database', "TMPDIR='' bash /usr/bin/mariadb-install-db \\"],
    ['a database', 'pg_createcluster 17 main'],
    ['random values', 'uuidgen > /etc/nvme/hostid'],
    ['random values', 'INAME=$(iscsi-iname -p iqn.1993-08.org.debian:01)'],
    ['random values', 'umask 077; openssl rand -base64 -out /var/lib/rabbitmq/.erlang.cookie 42'],
    ['random values', 'des_key="$(head -c18 /dev/urandom | base64)"'],
    ['random values', 'min=$((RANDOM % 60))'],
    ['random values', 'echo $RANDOM'],
    ['random values', 'shuf -i 0-59 -n1'],
    ['random values', 'cat /proc/sys/kernel/random/uuid'],
  ])('refuses a script that makes %s: %s', (what, text) => {
    expect(() => check(text)).toThrow(`  maker: its postinst makes ${what} (`)
    expect(() => check(`echo \xf6\n${text}`, { script: 'preinst' })).toThrow(`maker: its preinst makes ${what} (`)
  })

  it.each<[Purpose, RegExp]>([
    ['host', /^remove 'maker' from the packages of the base.*run the program in a container.*below \/data; .*HARMLESS/],
    ['container', /^add 'maker' to 'withoutScripts' of the image in overlays\/services.*on a volume; .*HARMLESS/],
  ])('names each command, and says what to do in a %s', (purpose, hint) => {
    const attempt = () => check('uuidgen > /etc/id\nmake-ssl-cert x', {}, purpose)
    expect(attempt).toThrow(Refusal)
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'carry',
        message: expect.stringMatching(/make keys, databases or random values.*\(make-ssl-cert\).*\(uuidgen\)/s),
        hint: expect.stringMatching(hint),
      }),
    )
  })

  it.each([
    'dbus-uuidgen --ensure',
    '# uuidgen > /etc/id',
    'ssh-keygen -l -f "$file.pub"',
    'openssl rehash /etc/ssl/certs',
    'openssl x509 -in a -out b',
    'setup_createclusterconf',
    'echo "run openssl-genrsa-like things yourself"',
    'RANDOMIZE=no',
  ])('accepts a script with: %s', (text) => {
    expect(() => check(text)).not.toThrow()
  })

  it('accepts the packages whose keys are left behind, and scripts that do not run', () => {
    expect(() => check('ssh-keygen -q -f x', { name: 'openssh-server' })).not.toThrow()
    expect(() => check('uuidgen', { script: 'postrm' })).not.toThrow()
  })
})
