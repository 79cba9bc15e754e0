#!/bin/sh
# Installs what is missing on a Debian or Ubuntu machine, and is silent and quick where nothing is.
#
#   bootstrap.sh check      npm packages (a Node 24 among them): what the checks of the sources need
#   bootstrap.sh run        and the Debian packages that the daemon and the practice network need
#   bootstrap.sh test       and those that the tests need
#   bootstrap.sh openstack  and OpenStack's services, for the tests against real ones
#
# Ends with 0, or with one sentence on stderr and 1.
set -eu
cd "$(dirname "$0")/.."

OLDEST_NODE=20

fail() {
  echo "$*" >&2
  exit 1
}

# Runs a command in silence; its output is left in $log only if the step fails.
quietly() {
  "$@" >>"$log" 2>&1 </dev/null
}

missing_packages() {
  wanted=$(cat "$@")
  # shellcheck disable=SC2086 # one word per package; dpkg-query complains about those it has never heard of
  present=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null) || true
  for package in $wanted; do
    echo "$present" | grep --quiet --line-regexp --fixed-strings "installed $package" || echo "$package"
  done
}

apt_install() {
  quietly apt-get install --quiet=2 --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

install_packages() {
  [ "$(id -u)" = 0 ] || fail 'This needs root, since network namespaces and their rules do: run it with sudo.'
  missing=$(missing_packages "$@" | tr '\n' ' ')
  missing=${missing% }
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    fail "There is no apt-get on this machine; install by other means: $missing."
  echo "installing the Debian packages $missing"
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  # A machine whose package lists are current needs no update.
  # shellcheck disable=SC2086 # one word per package
  apt_install $missing || { quietly apt-get update --quiet=2 && apt_install $missing; } || {
    keep_log
    fail "The Debian packages $missing could not be installed; is there a network? ($log has the details.)"
  }
}

check_node() {
  for program in node npm; do
    command -v $program >/dev/null || fail "There is no $program on this machine; install Node $OLDEST_NODE or newer with npm."
  done
  version=$(node --version) || fail "The node on this machine does not run; install Node $OLDEST_NODE or newer with npm."
  major=${version#v}
  [ "${major%%.*}" -ge "$OLDEST_NODE" ] ||
    fail "The node on this machine is $version; install Node $OLDEST_NODE or newer with npm."
}

npm_packages_are_current() {
  [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]
}

# Not `npm ci`, which refuses a lock file without the optional packages of platforms that the registry at hand
# does not carry. What the lock file names is installed as it says, and the file stays as it is.
install_npm_packages() {
  npm_packages_are_current && return 0
  check_node
  echo 'installing the npm packages'
  quietly npm install --no-save --no-audit --no-fund || {
    keep_log
    fail "The npm packages could not be installed; is there a network? ($log has the details.)"
  }
  # npm leaves its own record as it is where nothing was to be changed.
  touch node_modules/.package-lock.json
}

# The npm package `node` brings the Node that runs hatoba; npm fetches it in an install script.
check_runtime() {
  version=$(node_modules/.bin/node --version 2>/dev/null) ||
    fail 'The Node 24 that the npm package "node" brings does not run; remove node_modules and try again with install scripts allowed.'
  case $version in
    v24.*) ;;
    *) fail "The npm package \"node\" brought $version instead of Node 24; remove node_modules and try again." ;;
  esac
}

keep_log() {
  trap - EXIT
}

log=$(mktemp "${TMPDIR:-/tmp}/hatoba-bootstrap.XXXXXX")
trap 'rm -f "$log"' EXIT

case ${1:-} in
  check) ;;
  run) install_packages scripts/packages-run.txt ;;
  test) install_packages scripts/packages-run.txt scripts/packages-test.txt ;;
  openstack) install_packages scripts/packages-run.txt scripts/packages-test.txt scripts/packages-openstack.txt ;;
  *) fail 'Usage: bootstrap.sh check|run|test|openstack' ;;
esac
install_npm_packages
check_runtime
