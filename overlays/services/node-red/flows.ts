import { canonicalJson } from '../../../images/canonical.ts'
import { MQTT_PORT } from '../../mqtt.ts'
import type { TlsFiles } from '../../tls-files.ts'

/** The ids of the nodes in the first flows. Flows on data volumes refer to them, so they never change. */
export const TLS_NODE = '68616e6761720001'
export const BROKER_NODE = '68616e6761720002'

/**
 * The variables in the first flows. Flows stay on the data volume while the image changes, so they have no names and paths of
 * their own: Node-RED replaces `${NAME}` when it starts a node.
 */
export function brokerEnvironment(broker: string, tls: TlsFiles) {
  return {
    MQTT_BROKER: broker,
    MQTT_PORT: String(MQTT_PORT),
    MQTT_CA: tls.ca,
    MQTT_CERTIFICATE: tls.certificate,
    MQTT_KEY: tls.key,
  }
}

/** A value that Node-RED replaces when it starts a node. */
const variable = (name: keyof ReturnType<typeof brokerEnvironment>) => `\${${name}}`

/** The flows of a Node-RED that starts for the first time: a connection to the lab's broker, which the owner selects in nodes. */
export function firstFlows(): string {
  return `${canonicalJson([
    {
      id: TLS_NODE,
      type: 'tls-config',
      name: 'lab',
      ca: variable('MQTT_CA'),
      cert: variable('MQTT_CERTIFICATE'),
      key: variable('MQTT_KEY'),
      caname: '',
      certname: '',
      keyname: '',
      servername: '',
      verifyservercert: true,
      alpnprotocol: '',
    },
    {
      id: BROKER_NODE,
      type: 'mqtt-broker',
      name: 'lab',
      broker: variable('MQTT_BROKER'),
      port: variable('MQTT_PORT'),
      tls: TLS_NODE,
      usetls: true,
      clientid: 'node-red',
      autoConnect: true,
      autoUnsubscribe: true,
      protocolVersion: '5',
      keepalive: '60',
      cleansession: true,
    },
  ])}\n`
}
