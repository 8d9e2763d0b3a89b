import { type MqttClient, mergedClients } from '../../mqtt.ts'

/** mosquitto's `acl_file`: the topics of each client. A client may use no other topic, and a client without an entry none. */
export function accessList(clients: readonly MqttClient[]): string {
  return mergedClients(clients)
    .map(({ subject, publish, subscribe }) =>
      [
        `user ${subject}`,
        ...publish.map((topic) => `topic write ${topic}`),
        ...subscribe.map((topic) => `topic read ${topic}`),
        '',
      ].join('\n'),
    )
    .join('\n')
}
