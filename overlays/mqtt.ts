import { UserError } from '../errors.ts'
import { quoted } from '../images/quoted.ts'

/** The port of the MQTT broker. */
export const MQTT_PORT = 8883

/** The topics that a client of the MQTT broker may use, as topic filters. */
export interface MqttTopics {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** A client of the lab's MQTT broker. The broker identifies it by the subject of its certificate. */
export interface MqttClient extends MqttTopics {
  readonly subject: string
}

/** A topic, or a pattern of topics: `zigbee2mqtt/+/set`, `homeassistant/#`. */
export type TopicFilter = string & { readonly brand: 'TopicFilter' }

/** Parses a topic filter (MQTT 5.0, 4.7). */
export function parseTopicFilter(text: string): TopicFilter {
  const levels = text.split('/')
  if (text === '') throw filterError(text, 'it is empty')
  if (Buffer.byteLength(text) > LONGEST_FILTER) throw filterError(text, `it has more than ${LONGEST_FILTER} bytes`)
  if (!/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}]*$/u.test(text)) throw filterError(text, 'it has a control character')
  // mosquitto's list of topics is a text with one rule per line, and mosquitto removes the spaces around a topic.
  if (text.trim() !== text) throw filterError(text, 'it begins or ends with a space')
  if (levels.slice(0, -1).includes('#')) throw filterError(text, "'#' is only allowed at its end")
  const mixed = levels.find((level) => /[+#]/.test(level) && level.length > 1)
  if (mixed !== undefined) throw filterError(text, `its level ${quoted(mixed)} has a wildcard beside other characters`)
  if (levels.length > MOST_LEVELS) throw filterError(text, `it has more than ${MOST_LEVELS} levels`)
  return text as TopicFilter
}

/** MQTT 5.0, 1.5.4. */
const LONGEST_FILTER = 65_535
/** mosquitto refuses a topic with more levels (`TOPIC_HIERARCHY_LIMIT` in lib/util_topic.c). */
const MOST_LEVELS = 200

function filterError(text: string, reason: string): UserError {
  return new UserError('host', `${quoted(text)} is not a topic filter of MQTT: ${reason}`, {
    hint: "use a topic such as 'zigbee2mqtt/lamp/set', with '+' for one level, or '#' at the end for all levels below",
  })
}

/** One entry for each subject, sorted: a service that runs on several hosts is one client. */
export function mergedClients(clients: readonly MqttClient[]): MqttClient[] {
  const subjects = [...new Set(clients.map(({ subject }) => subject))].sort()
  return subjects.map((subject) => {
    const same = clients.filter((each) => each.subject === subject)
    return {
      subject,
      publish: union(same.flatMap(({ publish }) => publish)),
      subscribe: union(same.flatMap(({ subscribe }) => subscribe)),
    }
  })
}

function union(topics: readonly string[]): TopicFilter[] {
  return [...new Set(topics.map(parseTopicFilter))].sort()
}
