/** Packages of the `base` layer, and why each is there. What they need follows; what they recommend does not. */
const WANTED: Readonly<Record<string, string>> = {
  systemd: 'starts and watches everything',
  'systemd-sysv': 'reboot, poweroff and halt by their names',
  udev: 'names devices, loads drivers',
  dbus: 'podman asks systemd for health timers over it',
  'systemd-resolved': 'names of the lab and the world',
  'systemd-timesyncd': 'a board without a clock of its own',
  podman: 'services',
  crun: 'runs containers, smaller than runc',
  nftables: 'the firewall',
  'openssh-server': 'the way in, for owner and updates',
  'ca-certificates': 'who is believed in TLS',
  'prometheus-node-exporter': "the host's own metrics",
  dmsetup: 'tells which slot and layers run',
  kmod: 'kernel modules',
  'btrfs-progs': 'makes and mends the data volume',
  fdisk: 'grows the data partition to the disk',
  iproute2: 'addresses and routes for people',
  tzdata: 'local time',
  jq: 'what the agent reads of manifests and answers to a controller',
  zstd: 'updates arrive compressed',
  'iputils-ping': 'whether the gateway answers, before a trial may commit',
}

export const BASE_PACKAGES: readonly string[] = Object.keys(WANTED)
