import { describe, expect, it } from 'vitest'
import { updateText } from '../../../cli/text/flash.ts'

const DONE = { slot: 'b', root: 'ab'.repeat(32), sent: 1, times: [], total: 60 } as const

describe('updateText', () => {
  it('names the services of the updated host that wait for a missing device', () => {
    const waiting = ['service zigbee2mqtt waits for its device /dev/serial/by-id/usb-stick']
    const text = updateText('adama', { kind: 'updated', downtime: 30, waiting, ...DONE }, new Map())
    expect(text.split('\n').slice(-2)).toEqual([`adama: ${waiting[0]}`, 'undo: npm run revert adama'])
    expect(updateText('adama', { kind: 'updated', downtime: 30, waiting: [], ...DONE }, new Map())).not.toContain(
      'waits',
    )
  })
})
