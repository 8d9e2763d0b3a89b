/** Paths that layers leave out, because only a person at a terminal would read them. Copyright files stay. */
export const PRUNING = {
  remove: [
    '/usr/share/man',
    '/usr/share/info',
    '/usr/share/locale',
    '/usr/share/doc-base',
    '/usr/share/lintian',
    '/usr/share/bug',
    '/usr/share/bash-completion',
    '/usr/share/zsh',
    '/usr/share/fish',
    '/usr/share/pixmaps',
    '/usr/share/applications',
    '/usr/share/gtk-doc',
    '/usr/share/i18n',
    // Sources of hwdb.bin. Package configuration has already compiled them.
    '/usr/lib/udev/hwdb.d',
    // Podman's test program, and a helper for rootless networking. On hosts, root starts all containers.
    '/usr/libexec/podman/podman-testing',
    '/usr/libexec/podman/rootlessport',
    '/usr/lib/*-linux-gnu*/*.a',
    // Character sets. UTF-8 is built into the C library.
    '/usr/lib/*-linux-gnu*/gconv',
    // Maintainer scripts and their debconf questions: no package is configured on the device.
    '/var/lib/dpkg/info/*.templates',
    '/var/lib/dpkg/info/*.postinst',
    '/var/lib/dpkg/info/*.preinst',
    '/var/lib/dpkg/info/*.postrm',
    '/var/lib/dpkg/info/*.prerm',
    '/var/lib/dpkg/info/*.config',
    '/boot/*',
  ],
  keepOnly: { '/usr/share/doc': ['copyright'] },
} as const
