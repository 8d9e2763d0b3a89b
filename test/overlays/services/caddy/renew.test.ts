import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { RENEW } from '../../../../overlays/services/caddy/renew.ts'
import { describeOnShells } from '../../../helpers/fake-device.ts'

/** lego's part: it notes its call, and writes the certificate and the key that the test has prepared. */
const LEGO = `#!/bin/sh
echo "$*" >>"$ACME_STATE/calls"
[ ! -e "$ACME_STATE/fail" ] || exit 1
mkdir -p "$ACME_STATE/certificates"
name=$(echo "$*" | sed 's/.*--domains \\([^ ]*\\).*/\\1/')
cp "$ACME_STATE/next.crt" "$ACME_STATE/certificates/$name.crt"
cp "$ACME_STATE/next.key" "$ACME_STATE/certificates/$name.key"
`

const certificate = (serial: number) => `-----BEGIN CERTIFICATE-----\n${serial}\n-----END CERTIFICATE-----\n`
const KEY = '-----BEGIN EC PRIVATE KEY-----\nkey\n-----END EC PRIVATE KEY-----\n'
const NAME = 'home.example.org'

describeOnShells('the renewal of external certificates', ({ command: [program, ...args] }) => {
  let directory: string
  const at = (path: string) => join(directory, path)
  const write = (path: string, text: string) => writeFileSync(at(path), text)
  const served = () => readdirSync(at('served')).sort()
  const calls = () => readFileSync(at('state/calls'), 'utf8').trimEnd().split('\n')

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hangar-renew-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    for (const name of ['state', 'served', 'bin']) mkdirSync(at(name))
    write('bin/lego', LEGO)
    chmodSync(at('bin/lego'), 0o755)
    write('renew.sh', RENEW)
    write('state/next.crt', certificate(1))
    write('state/next.key', KEY)
  })

  function renew(names = NAME) {
    const env = {
      PATH: `${at('bin')}:${process.env.PATH}`,
      ACME_NAMES: names,
      ACME_STATE: at('state'),
      ACME_SERVED: at('served'),
    }
    rmSync(at('state/changed'), { force: true })
    const { status, stderr } = spawnSync(program, [...args, at('renew.sh'), '--dns', 'test'], { env, encoding: 'utf8' })
    return { status, stderr, isChanged: existsSync(at('state/changed')) }
  }

  it('obtains a certificate that is missing, and then renews it, with the options of the host', () => {
    expect(renew()).toEqual({ status: 0, stderr: '', isChanged: true })
    expect(readFileSync(at(`served/${NAME}.pem`), 'utf8')).toBe(certificate(1) + KEY)
    renew()
    expect(calls()).toEqual([
      `--path ${at('state')} --dns test --domains ${NAME} run`,
      `--path ${at('state')} --dns test --domains ${NAME} renew --days 30 --reuse-key --no-random-sleep`,
    ])
  })

  it('reports a change only if the certificate changed', () => {
    renew()
    expect(renew()).toMatchObject({ isChanged: false })
    write('state/next.crt', certificate(2))
    expect(renew()).toMatchObject({ isChanged: true })
    expect(readFileSync(at(`served/${NAME}.pem`), 'utf8')).toContain(certificate(2))
    expect(served()).toEqual([`${NAME}.pem`])
  })

  it.each([
    ['certificate', 'crt'],
    ['key', 'key'],
  ])('obtains a new certificate if a power cut cut off the %s, and serves the former one until then', (_, ending) => {
    renew()
    write(`state/certificates/${NAME}.${ending}`, '-----BEGIN')
    write('state/fail', '')
    expect(renew()).toMatchObject({ status: 1, isChanged: false })
    expect(readFileSync(at(`served/${NAME}.pem`), 'utf8')).toBe(certificate(1) + KEY)
    rmSync(at('state/fail'))
    expect(renew()).toMatchObject({ status: 0 })
    expect(calls().at(-1)).toMatch(/ run$/)
  })

  it('puts a certificate in place that an interrupted run left', () => {
    renew()
    rmSync(at(`served/${NAME}.pem`))
    write('served/home.example.org.new', 'part')
    expect(renew()).toMatchObject({ status: 0, isChanged: true })
    expect(served()).toEqual([`${NAME}.pem`])
  })

  it('serves the former certificate if a renewal fails, and says which name failed', () => {
    renew()
    write('state/fail', '')
    const { status, stderr, isChanged } = renew()
    expect([status, isChanged]).toEqual([1, false])
    expect(stderr).toBe(`cannot obtain or renew the certificate for ${NAME}\n`)
    expect(served()).toEqual([`${NAME}.pem`])
  })

  it('removes the certificates of names that the host file does not have any more', () => {
    renew(`${NAME} old.example.org`)
    expect(served()).toEqual([`${NAME}.pem`, 'old.example.org.pem'])
    expect(renew()).toMatchObject({ status: 0, isChanged: true })
    expect(served()).toEqual([`${NAME}.pem`])
  })
})
