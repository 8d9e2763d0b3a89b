import type { HealthCheck } from './container.ts'

/** The Debian package that a container needs for {@link httpAnswers}. */
export const HTTP_CHECK_PACKAGE = 'busybox-static'

/**
 * A check that passes if a URL of the service answers 200. The services' own clients (`promtool`, `amtool`) test
 * nothing more. They are large programs, and their memory and processor time would count toward the limits of the
 * service.
 */
export function httpAnswers(port: number, path: string): HealthCheck {
  const url = `http://127.0.0.1:${port}${path}`
  return { command: ['/usr/bin/busybox', 'wget', '-q', '-O', '/dev/null', url], interval: 30 }
}
