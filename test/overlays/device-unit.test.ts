import { describe, expect, it } from 'vitest'
import { deviceUnit } from '../../overlays/device-unit.ts'

describe('deviceUnit', () => {
  // The names are from `systemd-escape --path --suffix=device PATH`.
  it.each([
    ['/dev/ttyUSB0', 'dev-ttyUSB0.device'],
    ['/dev/serial/by-id/usb-stick', String.raw`dev-serial-by\x2did-usb\x2dstick.device`],
    [
      '/dev/serial/by-id/usb-X_3.0+x,\u00e9-if00',
      String.raw`dev-serial-by\x2did-usb\x2dX_3.0\x2bx\x2c\xc3\xa9\x2dif00.device`,
    ],
    ['//dev//a:b/.c/', 'dev-a:b-.c.device'],
    ['/.x', String.raw`\x2ex.device`],
  ])('names the unit of %s as systemd does', (path, unit) => {
    expect(deviceUnit(path)).toBe(unit)
  })
})
