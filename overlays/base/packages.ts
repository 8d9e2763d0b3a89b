/** The packages of the `base` layer, each with its reason. Their dependencies follow; recommended packages do not. */
const WANTED: Readonly<Record<string, string>> = {
  systemd: 'starts and supervises all services',
  'systemd-sysv': 'the commands reboot, poweroff and halt',
  udev: 'names devices, loads drivers',
  dbus: 'podman uses it to create health timers in systemd',
  'systemd-resolved': 'resolves names',
  'systemd-timesyncd': 'sets the time of boards without a clock',
  podman: 'runs the services',
  crun: 'podman starts containers with it; smaller than runc',
  nftables: 'the firewall',
  'openssh-server': 'login for the owner and for updates',
  'ca-certificates': 'the CAs that TLS clients trust',
  'prometheus-node-exporter': 'metrics of the host',
  age: 'decrypts the secrets of the services',
  dmsetup: 'shows the running slot and its layers',
  kmod: 'loads kernel modules',
  'btrfs-progs': 'creates and repairs the data volume',
  fdisk: 'enlarges the data partition to the end of the disk',
  iproute2: 'shows addresses and routes',
  tzdata: 'local time',
  jq: 'the agent reads manifests and writes its answers with it',
  zstd: 'decompresses updates',
  'iputils-ping': 'tests the gateway before a trial may commit',
}

export const BASE_PACKAGES: readonly string[] = Object.keys(WANTED)
