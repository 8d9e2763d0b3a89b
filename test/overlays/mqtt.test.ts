import { describe, expect, it } from 'vitest'
import { mergedClients, parseTopicFilter } from '../../overlays/mqtt.ts'
import { accessList } from '../../overlays/services/mosquitto/access.ts'
import { oddString, oddStrings } from '../helpers/odd-strings.ts'
import { randomFrom } from '../power-cut/random.ts'

describe('parseTopicFilter', () => {
  it.each([
    'a',
    '/',
    'zigbee2mqtt/lamp/set',
    '+',
    '#',
    '+/a/+/#',
    '$SYS/broker/version',
    'living room/lamp',
    'Küche/Licht',
  ])('accepts %j', (text) => expect(parseTopicFilter(text)).toBe(text))

  it.each([
    ['', 'it is empty'],
    ['a/#/b', "'#' is only allowed at its end"],
    ['a#', "its level 'a#' has a wildcard beside other characters"],
    ['a/+b/c', "its level '+b' has a wildcard beside other characters"],
    [' a', 'it begins or ends with a space'],
    ['a\nuser other', 'it has a control character'],
    ['a\0', 'it has a control character'],
    ['a\u2028', 'it has a control character'],
    ['ü'.repeat(32_768), 'it has more than 65535 bytes'],
    ['a/'.repeat(200), 'it has more than 200 levels'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseTopicFilter(text)).toThrow(`is not a topic filter of MQTT: ${reason}`)
  })

  it('refuses an odd string, or it is one rule of the access list', () => {
    const random = randomFrom(20, 1)
    const odd = [...oddStrings('a/b'), ...Array.from({ length: 2000 }, () => oddString('a/b', random))]
    const accepted = odd.filter((text) => {
      try {
        return parseTopicFilter(text)
      } catch {
        return false
      }
    })
    expect(accepted.length).toBeGreaterThan(0)
    for (const text of accepted) {
      const lines = accessList([{ subject: 'client', publish: [text], subscribe: [] }]).split('\n')
      expect(lines).toEqual(['user client', `topic write ${text}`, ''])
      expect(lines[1]?.trim()).toBe(lines[1])
    }
  })
})

describe('mergedClients', () => {
  it('makes one client of a service that runs on several hosts, with the topics of all', () => {
    const onAdama = { subject: 'node-red', publish: ['b', 'a'], subscribe: [] }
    const onStarbuck = { subject: 'node-red', publish: ['a', 'c'], subscribe: ['d'] }
    const other = { subject: 'alloy', publish: [], subscribe: ['#'] }
    expect(mergedClients([onAdama, other, onStarbuck])).toEqual([
      other,
      { subject: 'node-red', publish: ['a', 'b', 'c'], subscribe: ['d'] },
    ])
  })

  it('refuses a wrong topic of a service', () => {
    expect(() => mergedClients([{ subject: 'a', publish: ['x#'], subscribe: [] }])).toThrow('is not a topic filter')
  })
})
