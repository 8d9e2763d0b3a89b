import { networkInterfaces } from 'node:os'

/** The reason why this machine cannot connect to itself over IPv6; undefined if it can. */
export function whyNoIpv6(): string | undefined {
  const isThere = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))
  return isThere ? undefined : 'this machine has no IPv6 loopback address'
}
