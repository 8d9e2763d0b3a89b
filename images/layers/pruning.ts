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
    // The sources of hwdb.bin, which package configuration has already compiled.
    '/usr/lib/udev/hwdb.d',
    // Podman's test program, and a helper for rootless networking, which hosts do not need because root starts all
    // containers.
    '/usr/libexec/podman/podman-testing',
    '/usr/libexec/podman/rootlessport',
    '/usr/lib/*-linux-gnu*/*.a',
    // Character set modules, which UTF-8 does not need, because it is built into the C library.
    '/usr/lib/*-linux-gnu*/gconv',
    // Maintainer scripts and their debconf questions, because the device configures no packages.
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
