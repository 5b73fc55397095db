#!/bin/bash
# tools/check/deb_smoke.sh BUILD FOLDER [--dev]: the packages of BUILD (made by
# tools/package.sh) on a Debian 12 that has nothing else: FOLDER becomes a minimal
# one (debootstrap; kept for the next time where it is there), each package is
# installed with what it asks for, and used. --dev: also builds a sample with the
# headers, which fetches a compiler. Needs root and a Debian mirror, so it is run by
# hand.
set -euo pipefail
build=$(realpath "$1")
root=$2
dev=${3:-}
source=$(realpath "$(dirname "$0")/../..")
# The mirror that this machine uses, or another.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed -n 1p)}

step() { echo "== $SECONDS s: $*"; }
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/tmp/try "$@"; }
install_deb() {
  step "installs $*"
  # The shell inside finds the files.
  inside sh -c "apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 $*" > "$root/tmp/apt.log" 2>&1 ||
    { tail -n 30 "$root/tmp/apt.log"; exit 1; }
  sed -n '/NEW packages/,/^[0-9]/{/^  /p}' "$root/tmp/apt.log"
}

if [[ ! -e $root/etc/debian_version ]]; then
  step "makes a minimal Debian 12 in $root"
  debootstrap --variant=minbase bookworm "$root" "$mirror" > /dev/null
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside apt-get purge -y -q 'millrace*' > /dev/null 2>&1 || true
inside apt-get autoremove -y -q > /dev/null 2>&1 || true
rm -rf "$root/tmp/try"
mkdir -p "$root/tmp/try"
cp "$build"/packages/*.deb "$source"/samples/data/* "$root/tmp/try"
inside apt-get update -q > /dev/null 2>&1 || step "no mirror: what is installed must do"

# A plan compiled here runs there, in a program of the runtime alone. The program's
# own search path is this machine's: there it finds what is installed.
"$build/bin/graphc" compile "$source/samples/data/quadratic_fit.pb" -o "$root/tmp/try/fit.plan" \
  --signature 'init: target=init' --signature 'train: feed=x,y fetch=loss target=train' \
  --signature 'weights: fetch=w/read' > /dev/null
cp "$build/bin/train_plan" "$build/bin/quadratic_fit" "$root/tmp/try"

install_deb /tmp/try/millrace-runtime_*.deb
step "a plan is trained"
inside sh -c 'cd /tmp/try && ./train_plan fit.plan | tail -n 1'
if inside sh -c 'ldconfig -p | grep libmillrace.so'; then
  echo "the runtime's package holds the compiler" >&2
  exit 1
fi

install_deb /tmp/try/millrace_*.deb
step "a graph is built, compiled and trained"
inside sh -c 'cd /tmp/try && ./quadratic_fit | tail -n 1'

install_deb /tmp/try/millrace-tools_*.deb
step "graphc compiles with machine code, runs, freezes and compares"
inside sh -euc 'cd /tmp/try
  graphc compile quadratic_fit.pb -o fit.plan --feed x,y --fetch loss --cpu host | tee compiled
  ! grep " 0 pieces of code" compiled
  graphc compile digits_cnn.pb -o digits.plan --feed images --fetch digit
  graphc run digits.plan --feed images=digits_images.npy
  graphc freeze quadratic_fit.pb -o fit.pb --fetch prediction --feed x --init init
  graphc convert fit.pb -o fit.pbtxt
  graphc diff fit.pb fit.pbtxt'

if [[ $dev == --dev ]]; then
  cp "$source"/samples/quadratic_fit.cc "$root/tmp/try"
  install_deb /tmp/try/millrace-dev_*.deb g++ pkg-config
  step "a sample is compiled with pkg-config"
  inside sh -euc 'cd /tmp/try
    g++ -std=c++20 -O1 quadratic_fit.cc -o fit $(pkg-config --cflags --libs millrace)
    ./fit | tail -n 1'
fi
step "sizes"
for package in $(inside dpkg-query -W -f '${Package} ' 'millrace*'); do
  # What dpkg calls installed counts a library again for each link to it.
  inside dpkg -L "$package" | (cd "$root" && while read -r f; do if [[ -f .$f && ! -L .$f ]]; then stat -c %s ".$f"; fi; done) |
    awk -v p="$package" '{ sum += $1 } END { printf "%s: %.1f MB in %d files\n", p, sum / 1e6, NR }'
done
step "all went well"
