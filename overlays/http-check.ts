import type { HealthCheck } from './container.ts'

/** The Debian package that a container needs for {@link httpAnswers}. */
export const HTTP_CHECK_PACKAGE = 'busybox-static'

/**
 * A check that passes when a URL of the service answers 200. The clients of the services (`promtool`, `amtool`) test no
 * more than that, and are large programs: each check would use memory and processor time of the service's own limits.
 */
export function httpAnswers(port: number, path: string): HealthCheck {
  const url = `http://127.0.0.1:${port}${path}`
  return { command: ['/usr/bin/busybox', 'wget', '-q', '-O', '/dev/null', url], interval: 30 }
}
