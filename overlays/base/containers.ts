import { type FileTree, file } from '../../images/tree.ts'

/** podman's configuration. Each image is in a layer of the slot, and podman's writable storage lasts until the next boot. */
export function containerFiles(images: readonly string[]): FileTree {
  const stores = images.map((name) => `"/run/hangar/layers/container-${name}"`)
  return {
    '/etc/containers/storage.conf': file(
      [
        '[storage]',
        'driver = "overlay"',
        'runroot = "/run/containers/storage"',
        'graphroot = "/var/lib/containers/storage"',
        '[storage.options]',
        `additionalimagestores = [${stores.join(', ')}]`,
        '[storage.options.overlay]',
        'mountopt = "nodev"',
        '',
      ].join('\n'),
    ),
    '/etc/containers/containers.conf': file(
      [
        '[containers]',
        'log_driver = "journald"',
        '[network]',
        'network_backend = "netavark"',
        // Keeps this file outside /etc, which is read-only.
        'network_config_dir = "/run/containers/networks-config"',
        'firewall_driver = "nftables"',
        '[engine]',
        'events_logger = "journald"',
        'healthcheck_events = false',
        'database_backend = "sqlite"',
        'runtime = "crun"',
        'cgroup_manager = "systemd"',
        '',
      ].join('\n'),
    ),
    '/etc/containers/policy.json': file(
      '{"default":[{"type":"reject"}],"transports":{"containers-storage":{"":[{"type":"insecureAcceptAnything"}]}}}\n',
    ),
    '/etc/containers/registries.conf': file('unqualified-search-registries = []\nshort-name-mode = "enforcing"\n'),
    // Deletes podman's storage at boot. podman creates its containers at each boot, and remains of a power cut would
    // make it fail.
    '/etc/tmpfiles.d/hangar-containers.conf': file(
      'R! /var/lib/containers/storage\nd /var/lib/containers 0700 root root\n',
    ),
  }
}
