import type { HealthCheck } from './service.ts'

/** What a container needs for {@link httpAnswers}. */
export const HTTP_CHECK_PACKAGE = 'busybox-static'

/**
 * A check that passes when a page of the service answers 200. A service's own client (`promtool`, `amtool`) asks no more
 * than that, and is a large program that starts anew for each check, within the service's own limits.
 */
export function httpAnswers(port: number, path: string): HealthCheck {
  const url = `http://127.0.0.1:${port}${path}`
  return { command: ['/usr/bin/busybox', 'wget', '-q', '-O', '/dev/null', url], interval: 30 }
}
