import { z } from 'zod'
import { UserError } from '../../../errors.ts'
import { grammar } from '../../../images/grammar.ts'
import { parseHttpUrl } from '../../../images/http-url.ts'
import { parseDomainName } from '../../../images/names.ts'
import { quoted } from '../../../images/quoted.ts'
import type { SecretDefinition } from '../../service.ts'

const NAME = /^[A-Z][A-Z0-9_]*$/

/** The settings of a DNS provider are environment variables of lego: `lego dnshelp -c PROVIDER` lists them. */
function parseSetting(text: string): string {
  const refuse = (reason: string, hint: string) => new UserError('host', `${quoted(text)} ${reason}`, { hint })
  if (!NAME.test(text)) throw refuse('is not a setting of lego', 'use a name such as CLOUDFLARE_DNS_API_TOKEN')
  if (text.startsWith('LEGO_') || !text.includes('_')) throw refuse('is not a setting of a DNS provider', PROVIDERS)
  return text
}

const PROVIDERS = 'https://go-acme.github.io/lego/dns/ lists the settings of each provider'

/** A setting in clear text becomes part of the image, so it may not be a secret. */
function parsePlainSetting(text: string): string {
  if (!/SECRET|TOKEN|PASSWORD/.test(parseSetting(text))) return text
  throw new UserError('host', `${quoted(text)} is a secret, and 'settings' become part of the image`, {
    hint: `write it into 'credentials': hangar then asks for its value, and encrypts it`,
  })
}

function parseProvider(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{1,30}$/.test(text) && text !== 'manual' && text !== 'exec') return text
  throw new UserError('host', `${quoted(text)} is not a DNS provider of lego`, { hint: PROVIDERS })
}

function parseEmail(text: string): string {
  if (/^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$/.test(text)) return text
  throw new UserError('host', `${quoted(text)} is not an email address`, {
    hint: "use an address such as 'me@example.org'",
  })
}

function parseResolver(text: string): string {
  if (/^([0-9.]{7,15}|\[[0-9a-f:]{2,39}\])(:\d{1,5})?$/.test(text)) return text
  throw new UserError('host', `${quoted(text)} is not the address of a DNS server`, {
    hint: "use '9.9.9.9', '[2620:fe::fe]', or an address with a port: '9.9.9.9:53'",
  })
}

/** No control characters: a value is one line of a unit. */
const plainText = z.string().regex(/^[\x20-\x7e]+$/, 'wanted one line of ASCII characters')

export const externalSchema = z.strictObject({
  names: z.record(grammar(parseDomainName), z.string()),
  email: grammar(parseEmail),
  provider: grammar(parseProvider),
  settings: z.record(grammar(parsePlainSetting), plainText).default({}),
  credentials: z.array(grammar(parseSetting)).default([]),
  directory: grammar(parseHttpUrl).default('https://acme-v02.api.letsencrypt.org/directory'),
  resolvers: z.array(grammar(parseResolver)).default([]),
})

export type External = z.output<typeof externalSchema>

export const EXTERNAL_ABOUT = [
  'Names of the internet, with certificates from an ACME server by DNS-01.',
  '`names`: name -> service with a web page on this host.',
  '`email`: the account at the ACME server.',
  "`provider`: the DNS provider, by lego's code.",
  "`settings`, `credentials`: the provider's settings for lego; `credentials` lists the names of secret ones.",
  "`directory`: the URL of the ACME server; the default is Let's Encrypt.",
  '`resolvers`: DNS servers that see the names as the internet does, for a lab with its own answers for them.',
].join(' ')

/** The secret with the value of a credential: `cloudflare-dns-api-token`. */
export function credentialSecret(credential: string): string {
  return credential.toLowerCase().replaceAll('_', '-')
}

export function externalSecrets({ credentials, provider }: External): Record<string, SecretDefinition> {
  return Object.fromEntries(
    credentials.map((each) => [
      credentialSecret(each),
      { about: `${each} of the DNS provider ${provider}`, value: { kind: 'given' } },
    ]),
  )
}
