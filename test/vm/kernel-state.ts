/** Prints a line for each device: kernel name, name, read-only flag, 512-byte sectors, underlying devices. */
export const DEVICE_MAPPER =
  'cd /sys/block; for d in dm-*; do echo $d $(cat $d/dm/name) $(cat $d/ro) $(cat $d/size) $(ls $d/slaves); done'

export function parseDevices(text: string) {
  return text.split('\n').map((line) => {
    const [kernelName, name, readOnly, sectors, ...below] = line.split(' ')
    return { kernelName, name, readOnly, bytes: Number(sectors) * 512, below }
  })
}

/** Prints each limit from the cgroup of the service's process up to the root. */
export function limitsOf(service: string): string {
  return [
    `name=$(podman ps --format '{{.Names}}' | grep -x -e ${service} -e systemd-${service})`,
    `group=$(sed -n 's/^0:://p' /proc/$(podman inspect -f '{{.State.Pid}}' $name)/cgroup)`,
    'while [ -n "$group" ]; do',
    '  echo memory $(cat /sys/fs/cgroup$group/memory.max); echo cpu $(cat /sys/fs/cgroup$group/cpu.max)',
    '  group=$(dirname $group); [ $group = / ] && break',
    'done',
  ].join('\n')
}

export function parseLimits(text: string): { memoryMax: number; cores: number } {
  const lines = text.split('\n').map((line) => line.split(' '))
  const finite = (kind: string, read: (fields: string[]) => number) =>
    Math.min(...lines.filter(([first, value]) => first === kind && value !== 'max').map(read))
  return {
    memoryMax: finite('memory', ([, max]) => Number(max)),
    cores: finite('cpu', ([, quota, period]) => Number(quota) / Number(period)),
  }
}
