import { Refusal } from '../../refusal.ts'
import { controlText, type Deb, packageName } from '../parts/deb.ts'
import { type Purpose, withoutMachineFiles } from '../purpose.ts'
import { SCRIPTS, withoutComments } from './script-differences.ts'

/** Commands that make keys, databases or random values, as a script calls them. */
const MAKES: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w./-])(?:make-ssl-cert|certtool|dropbearkey|rndc-confgen|(?:nsd|unbound)-control-setup)\b/, 'keys'],
  [/\bopenssl\s+(?:req\b.*-newkey|req\b.*-new\b|gen(?:rsa|dsa|pkey)|dsaparam|ecparam|dhparam)/, 'keys'],
  [/(?<![\w./-])ssh-keygen\s+(?!.*-l)/, 'keys'],
  [/\bgpg\b.*--(?:full-|quick-)?gen(?:erate)?-key/, 'keys'],
  [/(?<![\w-])(?:mariadb-install-db|mysql_install_db|pg_createcluster|initdb)\b/, 'a database'],
  [/(?<![\w-])(?:uuidgen|mcookie|pwgen|makepasswd|shuf|iscsi-iname|gen-hostnqn)(?![\w-])/, 'random values'],
  [/\/dev\/u?random|\/proc\/sys\/kernel\/random|\$(?:\{|\(\(\s*)?RANDOM\b|\bopenssl\s+rand\b/, 'random values'],
]

/** Packages whose scripts call such a command, and the reason why nothing of it is in the image. */
const HARMLESS: Readonly<Record<string, string>> = {
  'openssh-server': 'carry.ts leaves the host keys behind',
  'strongswan-starter': 'makes a key only if an owner asked debconf for it',
}

/** Refuses scripts that make something that would be different in the next build, or known to everybody. */
export function requirePlainScripts(debs: readonly Deb[], purpose: Purpose): void {
  const found = debs.map((deb) => ({ name: packageName(deb), lines: randomScripts(deb) }))
  const random = found.filter(({ lines }) => lines.length > 0)
  if (random.length === 0) return
  const list = random.flatMap(({ lines }) => lines.map((line) => `\n  ${line}`)).join('')
  const names = random.map(({ name }) => name)
  throw new Refusal(
    'carry',
    `these maintainer scripts make keys, databases or random values, which would be the same on every host and different in each build:${list}`,
    `${withoutMachineFiles(names, purpose)}; if nothing of it reaches the image, add the package with the reason to HARMLESS in images/layers/base/random-scripts.ts`,
  )
}

function randomScripts(deb: Deb): string[] {
  const name = packageName(deb)
  if (name in HARMLESS) return []
  return SCRIPTS.flatMap((script) => {
    const text = withoutComments(controlText(deb, script))
    return MAKES.flatMap(([pattern, what]) => {
      const command = pattern.exec(text)?.[0].trim()
      return command === undefined ? [] : [`${name}: its ${script} makes ${what} (${command})`]
    })
  })
}
