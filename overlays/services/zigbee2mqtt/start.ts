/** The directory of the secrets in the container. */
export const SECRETS = '/etc/zigbee2mqtt/secrets'

/** The secrets of the radio network, in hexadecimal, and the token of the web page: name -> bytes. */
export const SECRET_BYTES = { 'network-key': 16, 'pan-id': 2, 'extended-pan-id': 8, 'web-token': 16 } as const

/**
 * A program for Node.js that gives Zigbee2MQTT its secrets and starts it. Zigbee2MQTT writes its settings to the data volume.
 * The network key and the token stay out of them, because Zigbee2MQTT accepts references to another file. The PAN ids must be
 * numbers in the settings; every packet on the air has them in clear text.
 */
export const START = `'use strict'
// Usage: node start.cjs PATH-OF-ZIGBEE2MQTT
const { readFileSync, writeFileSync } = require('node:fs')
const { argv, env } = require('node:process')

function secret(name) {
  return readFileSync('${SECRETS}/' + name, 'utf8').trim()
}

function bytes(name, length) {
  const text = secret(name)
  if (!/^[0-9a-f]*$/i.test(text) || text.length !== 2 * length)
    throw new Error('the secret ' + name + ' must be ' + length + ' bytes in hexadecimal')
  return [...Buffer.from(text, 'hex')]
}

// 0, 0xfffe and 0xffff have other meanings in Zigbee. Every other value stays, so that a network can move here.
function panId() {
  const [high, low] = bytes('pan-id', ${SECRET_BYTES['pan-id']})
  const id = 256 * high + low
  return id === 0 || id >= 0xfffe ? id ^ 0x8000 : id
}

function webToken() {
  const token = secret('web-token')
  if (token === '') throw new Error('the secret web-token is empty: the web page would be open to everyone')
  return token
}

const references = '/tmp/secrets.yaml'
const values = { network_key: bytes('network-key', ${SECRET_BYTES['network-key']}), auth_token: webToken() }
writeFileSync(references, JSON.stringify(values), { mode: 0o600 })
Object.assign(env, {
  ZIGBEE2MQTT_CONFIG_ADVANCED_NETWORK_KEY: '!' + references + ' network_key',
  ZIGBEE2MQTT_CONFIG_FRONTEND_AUTH_TOKEN: '!' + references + ' auth_token',
  ZIGBEE2MQTT_CONFIG_ADVANCED_PAN_ID: String(panId()),
  ZIGBEE2MQTT_CONFIG_ADVANCED_EXT_PAN_ID: JSON.stringify(bytes('extended-pan-id', ${SECRET_BYTES['extended-pan-id']})),
})
require(argv[2]).start()
`
