import { expect } from 'vitest'
import type { DeviceStatus } from '../../flash/ssh/status.ts'
import { agentStatus, type Lab } from './lab.ts'
import type { TestVm } from './vm.ts'

const PARTITION = { a: 2, b: 3 } as const

export interface FallBack {
  /** The reason that the host reports afterwards, and that the flash command prints. */
  readonly reason: string | RegExp
  readonly flags?: readonly string[]
}

/** Flashes an image whose trial fails. The command fails with the reason, and the host is back on its committed slot. */
export async function fallsBack(lab: Lab, vm: TestVm, { reason, flags = [] }: FallBack): Promise<DeviceStatus> {
  const before = await agentStatus(vm)
  const starts = vm.starts.length
  const { code, stdout, stderr } = await lab.onHost(vm, 'flash', ...flags)
  const output = `${code} ${stdout}${stderr}`
  expect(output).toMatch(/^1 /)
  expect(vm.starts.length, output).toBeGreaterThan(starts)
  await vm.reachable(600)
  expect(vm.starts.slice(starts)[0]).toEqual({ partition: PARTITION[otherSlot(before)], tryboot: true })
  expect(vm.starts.at(-1)).toEqual({ partition: PARTITION[before.slot], tryboot: false })
  const after = await isBack(vm, before, reason)
  expect(stderr).toMatch(reason)
  expect((await lab.onHost(vm, 'status')).stdout).toMatch(reason)
  return after
}

/** Expects that the host runs the same slot as before a failed trial, and that it reports the reason of the failure. */
export async function isBack(vm: TestVm, before: DeviceStatus, reason: string | RegExp): Promise<DeviceStatus> {
  const after = await agentStatus(vm)
  expect(after).toMatchObject({
    ...{ slot: before.slot, root: before.root, state: 'committed', committed: before.slot },
    update: { phase: 'reverted', slot: otherSlot(before) },
  })
  expect(after.update?.reason).toMatch(reason)
  return after
}

export function otherSlot({ slot }: DeviceStatus): 'a' | 'b' {
  return slot === 'a' ? 'b' : 'a'
}
