import { describe, expect, it } from 'vitest'
import { type HostFile, host } from '../../../hosts/schema/host.ts'
import { servicesSchema } from '../../../hosts/schema/services.ts'
import { HOST_FILE } from '../../helpers/host.ts'
import { numberFields } from '../../helpers/schema-fields.ts'

const LIMITS = { memory: '64 MiB' }
const withService = (name: string, options: object) => () =>
  host({ ...HOST_FILE, services: { [name]: { ...LIMITS, ...options } } } as HostFile)

describe('an option of a service', () => {
  it('has a lower and an upper bound if it is a number', () => {
    const numbers = numberFields(servicesSchema)
    expect(numbers.length).toBeGreaterThan(5)
    const isBounded = ({ minimum, maximum }: (typeof numbers)[number]) =>
      (minimum ?? 0) > 0 && (maximum ?? Number.MAX_SAFE_INTEGER) < Number.MAX_SAFE_INTEGER
    expect(numbers.filter((each) => !isBounded(each))).toEqual([])
  })

  it.each([
    ['mosquitto', 'cpus', [0.01, 0.07, 0.29, 0.5, 1.1, 4]],
    ['mosquitto', 'memory', ['16 MiB', '16.5 MiB', '1 GiB']],
    ['mosquitto', 'tasks', [16, 256, 8192]],
    ['mosquitto', 'cpuWeight', [1, 100, 10_000]],
    ['mosquitto', 'disk', ['64 MiB', '2.5 GiB', '8 GiB']],
    ['mosquitto', 'maxPacketSize', [20, 268_435_460]],
    ['alertmanager', 'repeatHours', [1, 120]],
    ['prometheus', 'retentionDays', [1, 36_500]],
    ['prometheus', 'retentionSizeGb', [1, 1.1, 2.3, 10_000]],
    ['prometheus', 'interval', [5, 150]],
  ] as const)('has every value that its program accepts: %s.%s %j', (service, option, values) => {
    for (const value of values) expect(withService(service, { [option]: value })).not.toThrow()
  })

  it.each([
    // Below 1 ms of 100 ms, the kernel answers EINVAL.
    ['mosquitto', 'cpus', 0.005, "'0.005' is too small, wanted 0.01 or more"],
    ['mosquitto', 'cpus', 0.015, "'0.015' is not a multiple of 0.01"],
    ['mosquitto', 'cpus', 4.01, "'4.01' is too large, wanted 4 or less"],
    ['mosquitto', 'cpus', Number.NaN, 'expected number'],
    ['mosquitto', 'memory', '1 MiB', "'1 MiB' is too little for a container, wanted '16 MiB' or more"],
    ['mosquitto', 'memory', '15.9 MiB', 'is too little for a container'],
    ['mosquitto', 'memory', `${'9'.repeat(400)} GiB`, 'is not a size of memory'],
    ['mosquitto', 'tasks', 15, "'15' is too small, wanted 16 or more"],
    ['mosquitto', 'tasks', 10_000, "'10000' is too large, wanted 8192 or less"],
    // systemd accepts weights from 1 to 10000 (systemd.resource-control(5)).
    ['mosquitto', 'cpuWeight', 0, "'0' is too small, wanted 1 or more"],
    ['mosquitto', 'cpuWeight', 10_001, "'10001' is too large, wanted 10000 or less"],
    ['mosquitto', 'disk', '63 MiB', "'63 MiB' is too little for a volume, wanted '64 MiB' or more"],
    ['mosquitto', 'disk', '2 GB', "'2 GB' is not a size such as '512 MiB' or '2 GiB'"],
    ['mosquitto', 'maxPacketSize', 19, "'19' is too small, wanted 20 or more"],
    ['mosquitto', 'maxPacketSize', 2 ** 31, "'2147483648' is too large, wanted 268435460 or less"],
    // The duration of Alertmanager is "0.5h", which it refuses.
    ['alertmanager', 'repeatHours', 0.5, 'expected int'],
    ['alertmanager', 'repeatHours', 0, "'0' is too small, wanted 1 or more"],
    ['alertmanager', 'repeatHours', 121, "'121' is too large, wanted 120 or less"],
    ['prometheus', 'retentionDays', 1.5, 'expected int'],
    ['prometheus', 'retentionDays', 106_752, "'106752' is too large, wanted 36500 or less"],
    // Prometheus cannot read the number 1e-7, and takes 0 for no limit.
    ['prometheus', 'retentionSizeGb', 1e-7, "'1e-7' is too small, wanted 1 or more"],
    ['prometheus', 'retentionSizeGb', 1e21, 'is too large, wanted 10000 or less'],
    ['prometheus', 'retentionSizeGb', 1.23, "'1.23' is not a multiple of 0.1"],
    ['prometheus', 'interval', 151, "'151' is too large, wanted 150 or less"],
  ] as const)('refuses a value that its program refuses: %s.%s %j', (service, option, value, message) => {
    expect(withService(service, { [option]: value })).toThrow(`at 'services.${service}.${option}': `)
    expect(withService(service, { [option]: value })).toThrow(message)
  })
})
