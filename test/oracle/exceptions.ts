import type { Exception } from './compare.ts'

/** Differences that are there because nobody wants them in an image: `carry.ts` leaves these paths behind. */
export const LEFT_BEHIND: readonly Exception[] = [
  { pattern: /^\/dev\/./, aspects: ['missing'], reason: 'mounted when the system runs' },
  { pattern: /^\/run\/lock(\/subsys)?$/, aspects: ['missing'], reason: 'mounted when the system runs' },
  {
    pattern: /^\/etc\/ld\.so\.cache$/,
    aspects: ['missing'],
    reason: "of an architecture's own libraries; the loader does without it",
  },
  { pattern: /^\/etc\/ssh\/ssh_host_\w+_key(\.pub)?$/, aspects: ['missing'], reason: 'random: a host makes its own' },
  { pattern: /^\/etc\/machine-id$/, aspects: ['missing'], reason: 'left empty by mmdebstrap, a host has its own' },
  { pattern: /^\/etc\/(passwd|group|shadow|gshadow)-$/, aspects: ['missing'], reason: 'backups of the id table' },
  { pattern: /^\/etc\/\.pwd\.lock$/, aspects: ['missing'], reason: 'a lock' },
  {
    pattern: /^\/var\/cache\/debconf\/./,
    aspects: ['missing'],
    reason: 'answers to questions that nobody asks again, in random order',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/(\w+-old|lock|lock-frontend)$/,
    aspects: ['missing'],
    reason: 'backups and locks of dpkg',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/triggers\/(Lock|Unincorp)$/,
    aspects: ['missing'],
    reason: 'a lock and an empty list, which dpkg makes when it runs',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/arch$/,
    aspects: ['missing'],
    reason: 'mmdebstrap adds the architecture that is native anyway',
  },
  {
    pattern: /^\/var\/(cache\/apt\/archives|lib\/apt\/lists)(\/lock|\/partial)?$/,
    aspects: ['missing'],
    reason: 'where apt works: it ran on the emulated root, from outside, and is not in the set',
  },
  {
    pattern: /^\/var\/lib\/apt\/extended_states$/,
    aspects: ['missing'],
    reason: 'what apt chose: here the lock chose',
  },
]

/** What mmdebstrap makes that no package does, and what comes of its order. */
export const OF_MMDEBSTRAP: readonly Exception[] = [
  {
    pattern: /^\/etc\/(apt\/apt|dpkg\/dpkg)\.c\w+\.d\/99mmdebstrap$/,
    aspects: ['missing'],
    reason: 'how mmdebstrap was called',
  },
  {
    pattern: /^\/(etc\/apt\/(preferences|sources\.list)\.d|var\/(cache|lib|log)\/apt)$/,
    aspects: ['missing'],
    reason: 'empty directories that mmdebstrap makes for its own apt: no package ships them, no script makes them',
  },
  { pattern: /^\/etc\/apt\/sources\.list$/, aspects: ['missing'], reason: 'where mmdebstrap took packages from' },
  { pattern: /^\/etc\/fstab$/, aspects: ['missing'], reason: "mmdebstrap's placeholder" },
  {
    pattern: /^\/etc\/systemd\/system\/timers\.target\.wants\/(dpkg-db-backup|fstrim)\.timer$/,
    aspects: ['target'],
    reason:
      'two names of one file: deb-systemd-helper links /lib where systemctl, not unpacked yet, would link /usr/lib',
  },
]
