#!/bin/sh
# Checks that the programs exist which `make` needs but does not install. If some are missing, prints their names and the
# command that installs them on this system. README.md lists the same commands.
. scripts/env.sh

rustup='curl --proto "=https" --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain none'
missing=
need() { missing="$missing${missing:+, }$1"; }

command -v git >/dev/null || need git
command -v rustup >/dev/null || need rustup
if command -v node >/dev/null && command -v npm >/dev/null; then
  node -e 'process.exit(parseInt(process.versions.node, 10) < 18 ? 1 : 0)' || need "Node 18 or newer (found $(node --version))"
else
  need "Node 18 or newer with npm"
fi
case "$(uname -s)" in
  Darwin)
    # macOS has a /usr/bin/cc even if no compiler is installed.
    xcode-select -p >/dev/null 2>&1 || need "a C compiler"
    install="xcode-select --install; brew install node && $rustup"
    ;;
  *)
    command -v cc >/dev/null || need "a C compiler"
    if command -v pkg-config >/dev/null; then
      pkg-config --exists openssl || need "OpenSSL headers"
    else
      need "pkg-config and OpenSSL headers"
    fi
    case "$(. /etc/os-release 2>/dev/null && echo "$ID ${ID_LIKE:-}")" in
      *debian* | *ubuntu*)
        install="sudo apt-get install -y git build-essential pkg-config libssl-dev nodejs npm curl && $rustup" ;;
      *fedora* | *rhel*)
        install="sudo dnf install -y git make gcc pkgconf-pkg-config openssl-devel nodejs npm curl && $rustup" ;;
      *)
        install="your package manager's git, make, C compiler, pkg-config, OpenSSL headers, Node 18 or newer, npm; then $rustup" ;;
    esac
    ;;
esac

[ -z "$missing" ] && exit 0
echo "Missing: $missing. Install with:" >&2
echo "  $install" >&2
exit 1
