/**
 * Kernel modules that boards and services need. A module is its path below `kernel/` (Debian's) or `updates/` (ours),
 * without extension. `*` matches within one path component.
 */
export interface ModuleGroup {
  readonly why: string
  readonly modules: readonly string[]
}

/** The modules that the `kernel` layer keeps of Debian's 4,500, together with their dependencies. */
export const MODULE_GROUPS: readonly ModuleGroup[] = [
  {
    why: 'slots: dm-verity and dm-linear over a partition, EROFS layers, one overlay of them',
    modules: ['drivers/md/dm-mod', 'drivers/md/dm-verity', 'fs/erofs/erofs', 'fs/overlayfs/overlay'],
  },
  {
    why: 'data and boot partitions, and disks that the owner plugs in',
    modules: [
      'fs/btrfs/btrfs',
      'fs/fat/vfat',
      'fs/ext4/ext4',
      'fs/exfat/exfat',
      'fs/nls/nls_cp437',
      'fs/nls/nls_ascii',
      'fs/nls/nls_utf8',
      'drivers/block/loop',
      'fs/configfs/configfs',
      'fs/autofs/autofs4',
    ],
  },
  {
    why: 'checksums and compression that btrfs and EROFS load by name',
    modules: ['crypto/crc32c-cryptoapi', 'lib/crc/*', 'crypto/zstd', 'crypto/lz4*'],
  },
  {
    why: 'Raspberry Pi 5: SD card and its regulators',
    modules: [
      'drivers/mmc/host/sdhci-brcmstb',
      'drivers/mmc/host/cqhci',
      'drivers/gpio/gpio-brcmstb',
      'drivers/regulator/gpio-regulator',
      'drivers/regulator/fixed',
      'drivers/pinctrl/bcm/*',
    ],
  },
  {
    why: 'Raspberry Pi 5: PCIe, NVMe, and RP1 with its clocks, pins, Ethernet and USB',
    modules: [
      'drivers/irqchip/irq-bcm2712-mip',
      'drivers/pci/controller/*',
      'drivers/nvme/host/*',
      'drivers/misc/rp1/*',
      'drivers/clk/clk-rp1',
      'drivers/clk/bcm/*',
      'drivers/pinctrl/pinctrl-rp1',
      'drivers/net/ethernet/cadence/macb',
      'drivers/net/phy/broadcom',
      'drivers/net/phy/bcm-phy-lib',
      'drivers/usb/dwc3/dwc3',
      'drivers/usb/dwc3/dwc3-generic-plat',
      'drivers/usb/host/xhci-plat-hcd',
      'drivers/usb/host/xhci-pci',
      'drivers/reset/*brcm*',
      'drivers/reset/reset-raspberrypi',
      'drivers/dma/bcm2835*',
    ],
  },
  {
    why: 'Raspberry Pi 5: watchdog, random numbers, temperature, fan, clock speed, voltage, LEDs and buttons',
    modules: [
      'drivers/watchdog/bcm2835_wdt',
      'drivers/char/hw_random/iproc-rng200',
      'drivers/char/hw_random/bcm2835-rng',
      'drivers/thermal/broadcom/*',
      'drivers/hwmon/pwm-fan',
      'drivers/pwm/*bcm2835*',
      'drivers/cpufreq/raspberrypi-cpufreq',
      'drivers/cpufreq/cpufreq-dt',
      'drivers/leds/leds-gpio',
      'drivers/input/keyboard/gpio_keys',
      'drivers/mailbox/bcm2835*',
      'drivers/nvmem/nvmem-rmem',
      'drivers/i2c/busses/i2c-brcmstb',
      'drivers/i2c/busses/i2c-designware*',
    ],
  },
  {
    why: 'Raspberry Pi 5: the tryboot flag (the mailbox driver that it uses is built in)',
    modules: ['hangar_tryboot'],
  },
  {
    why: 'Raspberry Pi 5: a screen and a keyboard for the console',
    modules: [
      'drivers/gpu/drm/vc4/*',
      'drivers/gpu/drm/tiny/*',
      'drivers/hid/hid-generic',
      'drivers/hid/usbhid/usbhid',
      'drivers/input/evdev',
    ],
  },
  {
    why: 'USB: backup disks, serial adapters for Zigbee, network adapters for emergencies',
    modules: [
      'drivers/usb/storage/usb-storage',
      'drivers/usb/storage/uas',
      'drivers/scsi/sd_mod',
      'drivers/usb/class/cdc-acm',
      'drivers/usb/serial/cp210x',
      'drivers/usb/serial/ch341',
      'drivers/usb/serial/ftdi_sio',
      'drivers/net/usb/r8152',
      'drivers/net/usb/ax88179_178a',
      'drivers/net/usb/cdc_ether',
      'drivers/net/usb/cdc_ncm',
    ],
  },
  {
    why: 'podman: container networks and the firewall',
    modules: [
      'drivers/net/veth',
      'drivers/net/tun',
      'drivers/net/dummy',
      'drivers/net/macvlan',
      'net/bridge/bridge',
      'net/bridge/br_netfilter',
      'net/8021q/8021q',
      'net/netfilter/nf_tables',
      'net/netfilter/nft_*',
      'net/netfilter/nf_nat',
      'net/netfilter/nf_conntrack',
      'net/netfilter/nf_conntrack_netlink',
      'net/netfilter/xt_*',
      'net/netfilter/nfnetlink*',
      'net/netfilter/nf_log_syslog',
      'net/ipv4/netfilter/nft_*',
      'net/ipv4/netfilter/nf_*',
      'net/ipv6/netfilter/nft_*',
      'net/ipv6/netfilter/nf_*',
      'net/sched/sch_fq',
      'net/sched/sch_fq_codel',
      'net/sched/sch_cake',
      'net/packet/af_packet_diag',
      'net/unix/unix_diag',
      'net/ipv4/tcp_diag',
      'net/ipv4/inet_diag',
      'net/vmw_vsock/vsock',
    ],
  },
  { why: 'WireGuard, for access to the lab from outside', modules: ['drivers/net/wireguard/wireguard'] },
  { why: 'memory pressure: compressed swap', modules: ['drivers/block/zram/zram', 'mm/zsmalloc'] },
  {
    why: 'the virtual machine, which boots the same bytes as the board',
    modules: [
      'drivers/virtio/*',
      'drivers/block/virtio_blk',
      'drivers/net/virtio_net',
      'drivers/char/hw_random/virtio-rng',
      'drivers/watchdog/i6300esb',
      'drivers/char/virtio_console',
      'drivers/firmware/qemu_fw_cfg',
    ],
  },
]

/**
 * The modules that the initramfs loads, in this order, before it looks for the slot. Dependencies are loaded before each
 * module. The driver of an absent device is harmless. The list of the board comes from the suppliers in its device tree.
 */
export const INITRAMFS_MODULES: readonly ModuleGroup[] = [
  {
    why: 'watchdogs: first, so that they also cover a hang of the modules below',
    modules: ['drivers/watchdog/bcm2835_wdt', 'drivers/watchdog/i6300esb'],
  },
  {
    why: 'Raspberry Pi 5: SD card',
    modules: [
      'drivers/pinctrl/bcm/*',
      'drivers/gpio/gpio-brcmstb',
      'drivers/regulator/fixed',
      'drivers/regulator/gpio-regulator',
      'drivers/mmc/host/sdhci-brcmstb',
    ],
  },
  {
    why: 'Raspberry Pi 5: NVMe and USB disks, which are connected by PCIe and RP1',
    modules: [
      'drivers/irqchip/irq-bcm2712-mip',
      'drivers/reset/*brcm*',
      'drivers/nvme/host/nvme',
      'drivers/clk/clk-rp1',
      'drivers/pinctrl/pinctrl-rp1',
      'drivers/misc/rp1/*',
      'drivers/usb/dwc3/dwc3',
      'drivers/usb/host/xhci-plat-hcd',
      'drivers/usb/storage/usb-storage',
      'drivers/usb/storage/uas',
      'drivers/scsi/sd_mod',
    ],
  },
  { why: 'Raspberry Pi 5: the tryboot flag', modules: ['hangar_tryboot'] },
  {
    why: 'the virtual machine (the drivers of its serial ports are built in)',
    modules: ['drivers/virtio/virtio_mmio', 'drivers/block/virtio_blk', 'drivers/char/hw_random/virtio-rng'],
  },
  { why: 'the slot', modules: ['drivers/md/dm-mod', 'drivers/md/dm-verity', 'fs/erofs/erofs', 'fs/overlayfs/overlay'] },
]
