import { describe, expect, it } from 'vitest'
import { during, type Reporter } from '../../lib/reporter.ts'

function recorder() {
  const events: string[] = []
  const reporter: Pick<Reporter, 'step'> = {
    step(name, totalBytes) {
      events.push(`${name} of ${totalBytes}`)
      return {
        advance: (bytes) => void events.push(`${bytes} bytes`),
        done: (ending) => void events.push(ending),
        failed: () => void events.push('failed'),
      }
    },
  }
  return { events, reporter }
}

describe('during', () => {
  it('ends the step as done, and returns the result of the work', async () => {
    const { events, reporter } = recorder()
    const result = await during(reporter, 'send', async (step) => {
      step.advance(3)
      return 'sent'
    })
    expect(result).toBe('sent')
    expect(events).toEqual(['send of undefined', '3 bytes', 'done'])
  })

  it('forwards the transferred bytes and the final status to the reporter', async () => {
    const { events, reporter } = recorder()
    await during(reporter, 'fetch', async () => undefined, { totalBytes: 9, ending: 'fetched' })
    expect(events).toEqual(['fetch of 9', 'fetched'])
  })

  it('ends the step as failed, and rejects with the error of the work', async () => {
    const { events, reporter } = recorder()
    await expect(during(reporter, 'send', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(events).toEqual(['send of undefined', 'failed'])
  })
})
