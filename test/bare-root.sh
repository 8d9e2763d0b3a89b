#!/bin/sh
# Runs README's two commands on a bare Debian 12: a clean clone in a root with Node, npm and the packages of debootstrap's
# minbase, and nothing else. docs/testing.md explains the usage.
set -eu

PROJECT=$(cd "$(dirname "$0")/.." && pwd)
RELEASE=bookworm

main() {
  [ "$(id -u)" = 0 ] || fail 'needs root, because it mounts file systems and enters the new root'
  for program in debootstrap git node npm pivot_root unshare; do
    command -v "$program" >/dev/null || fail "needs '$program' on this machine (on Debian: apt-get install debootstrap git util-linux)"
  done
  if [ -n "${BARE_ROOT:-}" ]; then
    mkdir -p "$BARE_ROOT"
    root=$(cd "$BARE_ROOT" && pwd)
    [ -e "$root/etc/hangar-bare-root" ] || [ -z "$(ls -A "$root")" ] ||
      fail "does not write into '$root': it holds files, and is no root of this script. Set BARE_ROOT to a new directory"
  else
    root=$(mktemp -d "${TMPDIR:-/var/tmp}/hangar-bare-root.XXXXXX")
    # Every mount is in a namespace that has ended by then.
    trap 'rm -rf --one-file-system "$root"' EXIT
    trap 'exit 130' INT TERM HUP
  fi
  [ -e "$root/etc/hangar-bare-root" ] || make_root
  copy_settings
  copy_clone
  if [ $# -eq 0 ]; then
    set -- sh -ec 'npm ci && npm run build:image adama && npm test'
  fi
  enter "$@"
}

make_root() {
  # shellcheck disable=SC2046 # no word without a mirror in apt's configuration
  debootstrap --variant=minbase "$RELEASE" "$root" $(apt_mirror)
  # The archives of the packages are no part of a machine that is in use.
  rm -rf "$root"/var/cache/apt/archives/*.deb
  mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules"
  cp -L "$(node -p process.execPath)" "$root/usr/local/bin/node"
  cp -RL "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  chroot "$root" /usr/local/bin/node -e '' || fail 'cannot start this Node in the bare root; use a Node for Debian 12'
  : >"$root/etc/hangar-bare-root"
}

# The first Debian mirror of this machine's apt. Empty without one: debootstrap then uses its own default.
apt_mirror() {
  # shellcheck disable=SC2016 # a field of apt
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1
}

# How this machine reaches its name server, npm's registry and Debian's mirrors.
copy_settings() {
  rm -rf "$root/etc/apt"
  [ ! -d /etc/apt ] || cp -RL /etc/apt "$root/etc/apt"
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt "${NODE_EXTRA_CA_CERTS:-}" \
    "$(npm_setting cafile)"; do
    copy_if_any "$file" "$root$file"
  done
  copy_if_any "$(npm_setting userconfig)" "$root/root/.npmrc"
  copy_if_any "$(npm_setting globalconfig)" "$root/usr/local/etc/npmrc"
}

npm_setting() { (cd / && npm config get "$1"); }

copy_if_any() {
  [ -f "$1" ] || return 0
  mkdir -p "$(dirname "$2")"
  cp -L "$1" "$2"
}

copy_clone() {
  clone=$root/root/hangar
  [ -d "$clone" ] || git clone --quiet --no-hardlinks "$PROJECT" "$clone"
  git -C "$clone" fetch --quiet "$PROJECT" HEAD
  git -C "$clone" checkout --quiet --force --detach FETCH_HEAD
  printf 'bare root: %s, revision %s\n' "$root" "$(git -C "$clone" rev-parse --short HEAD)"
  [ -z "$(git -C "$PROJECT" status --porcelain)" ] || echo 'bare root: the clone is without your uncommitted changes'
}

# The shell stays as process 1 of the namespace and reaps what the command leaves behind.
enter() {
  for name in http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NODE_EXTRA_CA_CERTS \
    HANGAR_DEBIAN_MIRROR; do
    eval "value=\${$name:-}"
    # shellcheck disable=SC2154 # eval sets it
    [ -z "$value" ] || set -- "$name=$value" "$@"
  done
  # shellcheck disable=SC2016 # for the shell inside
  set -- sh -ec '
    mount --bind "$1" "$1"
    cd "$1"
    shift
    for directory in dev sys; do mount --rbind "/$directory" "$directory"; done
    mount -t proc proc proc
    mkdir -p mnt/outside
    pivot_root . mnt/outside
    cd /
    umount -l /mnt/outside
    cd /root/hangar
    env "$@"
  ' bare-root "$root" "$@"
  unshare --mount --propagation private --pid --fork --kill-child env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" "$@"
}

fail() {
  echo "bare-root.sh $1" >&2
  exit 1
}

main "$@"
