import { piDriver } from '../../../../flash/targets/pi/target.ts'
import { describeTarget } from '../../../contracts/target.ts'
import { updateBench } from '../../../helpers/update-bench.ts'

describeTarget('pi', async () => {
  const bench = await updateBench()
  const { host, next } = bench
  return {
    ...bench,
    driver: piDriver,
    root: next.manifest.slot.root,
    state: () => {
      const { a, b } = host.slots
      const { running, committed, lock, update, identity, boots } = host
      return JSON.stringify({ running, committed, lock, update, identity, boots, states: [a.state, b.state] })
    },
    failTrials: () => {
      host.faults.trial = 'panics'
    },
  }
})
