/** The paths of Node-RED's own files in the container. */
export const SECRETS = '/etc/node-red/secrets'
export const FIRST_FLOWS = '/etc/node-red/flows.json'

/**
 * Node-RED's settings.js. It reads the secrets when Node-RED starts, so the file itself has none. It throws if one is missing,
 * because Node-RED without them would start with an open editor.
 */
export function settingsFile(host: string, port: number): string {
  return `'use strict'
const { createHash, timingSafeEqual } = require('node:crypto')
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs')

function secret(name) {
  const text = readFileSync('${SECRETS}/' + name, 'utf8').replace(/\\r?\\n$/, '')
  if (text === '') throw new Error('the secret ' + name + ' is empty')
  return text
}

const digest = (text) => createHash('sha256').update(String(text)).digest()
const password = digest(secret('admin-password'))
const admin = { username: 'admin', permissions: '*' }
const userNamed = (name) => (name === admin.username ? admin : null)

// The first flows have the connection to the lab's broker. Later the owner's flows replace them.
if (!existsSync('/data/flows.json') && existsSync('${FIRST_FLOWS}')) {
  writeFileSync('/data/flows.json.new', readFileSync('${FIRST_FLOWS}'))
  renameSync('/data/flows.json.new', '/data/flows.json')
}

module.exports = {
  uiHost: '127.0.0.1',
  uiPort: ${port},
  flowFile: 'flows.json',
  flowFilePretty: true,
  credentialSecret: secret('credential-secret'),
  // Compares digests, because a comparison must take the same time for every password. Node-RED limits the attempts.
  adminAuth: {
    type: 'credentials',
    users: async (name) => userNamed(name),
    authenticate: async (name, given) => (timingSafeEqual(digest(given), password) ? userNamed(name) : null),
  },
  // Nodes are part of the image: overlays/services/node-red/package.json.
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpdate: false, allowUpload: false, allowList: [] },
    modules: { allowInstall: false, allowList: [] },
  },
  functionExternalModules: false,
  telemetry: { enabled: false, updateNotification: false },
  runtimeState: { enabled: false, ui: false },
  diagnostics: { enabled: true, ui: true },
  // A flow chooses 'file' to keep a value over a restart.
  contextStorage: { default: { module: 'memory' }, file: { module: 'localfilesystem' } },
  logging: { console: { level: 'info', metrics: false, audit: false } },
  editorTheme: {
    page: { title: 'Node-RED on ${host}' },
    header: { title: 'Node-RED on ${host}' },
    projects: { enabled: false },
    tours: false,
  },
}
`
}
