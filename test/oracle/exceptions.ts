import type { Exception } from './compare.ts'

/** Paths that an image must not contain: `LEFT_BEHIND` in images/layers/base/carry.ts does not carry them. */
export const LEFT_BEHIND: readonly Exception[] = [
  { pattern: /^\/dev\/./, aspects: ['missing'], reason: 'mounted when the system runs' },
  { pattern: /^\/run\/lock(\/subsys)?$/, aspects: ['missing'], reason: 'mounted when the system runs' },
  {
    pattern: /^\/etc\/ld\.so\.cache$/,
    aspects: ['missing'],
    reason: 'lists the libraries of one architecture; the loader works without it',
  },
  { pattern: /^\/etc\/ssh\/ssh_host_\w+_key(\.pub)?$/, aspects: ['missing'], reason: 'random: each host has its own' },
  { pattern: /^\/etc\/machine-id$/, aspects: ['missing'], reason: 'mmdebstrap leaves it empty: each host has its own' },
  { pattern: /^\/etc\/(passwd|group|shadow|gshadow)-$/, aspects: ['missing'], reason: 'backups of the id table' },
  { pattern: /^\/etc\/\.pwd\.lock$/, aspects: ['missing'], reason: 'a lock file' },
  {
    pattern: /^\/var\/cache\/debconf\/./,
    aspects: ['missing'],
    reason: 'answers to debconf questions, in random order',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/(\w+-old|lock|lock-frontend)$/,
    aspects: ['missing'],
    reason: 'backups and locks of dpkg',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/triggers\/(Lock|Unincorp)$/,
    aspects: ['missing'],
    reason: 'a lock file and an empty list, which dpkg creates when it runs',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/arch$/,
    aspects: ['missing'],
    reason: 'mmdebstrap adds the native architecture, which is redundant',
  },
  {
    pattern: /^\/var\/(cache\/apt\/archives|lib\/apt\/lists)(\/lock|\/partial)?$/,
    aspects: ['missing'],
    reason: 'working directories of apt, which ran on the emulated root from outside and is not in the set',
  },
  {
    pattern: /^\/var\/lib\/apt\/extended_states$/,
    aspects: ['missing'],
    reason: 'packages that apt selected; hangar takes them from the lock',
  },
]

/** Files that only mmdebstrap creates, and effects of the order in which it unpacks packages. */
export const OF_MMDEBSTRAP: readonly Exception[] = [
  {
    pattern: /^\/etc\/(apt\/apt|dpkg\/dpkg)\.c\w+\.d\/99mmdebstrap$/,
    aspects: ['missing'],
    reason: 'options of mmdebstrap',
  },
  {
    pattern: /^\/(etc\/apt\/(preferences|sources\.list)\.d|var\/(cache|lib|log)\/apt)$/,
    aspects: ['missing'],
    reason: 'empty directories that mmdebstrap creates for apt; no package and no script creates them',
  },
  { pattern: /^\/etc\/apt\/sources\.list$/, aspects: ['missing'], reason: 'the repository of mmdebstrap' },
  { pattern: /^\/etc\/fstab$/, aspects: ['missing'], reason: 'a placeholder of mmdebstrap' },
  {
    pattern: /^\/etc\/systemd\/system\/timers\.target\.wants\/(dpkg-db-backup|fstrim)\.timer$/,
    aspects: ['target'],
    reason:
      'two paths of one file: deb-systemd-helper links to /lib if systemctl is not unpacked yet, which links to /usr/lib',
  },
]
