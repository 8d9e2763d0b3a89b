/** What no layer carries: nothing reads it on a device without a person at a terminal. Copyright files stay. */
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
    // Sources of hwdb.bin, which is made of them when packages are configured.
    '/usr/lib/udev/hwdb.d',
    // Podman's own test program, and what rootless networking needs: containers here are started by root.
    '/usr/libexec/podman/podman-testing',
    '/usr/libexec/podman/rootlessport',
    '/usr/lib/*-linux-gnu*/*.a',
    // Character sets other than UTF-8, which the C library has built in.
    '/usr/lib/*-linux-gnu*/gconv',
    // Text of maintainer scripts' questions: no package is configured on the device.
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
