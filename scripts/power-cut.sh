#!/usr/bin/env bash
# Cuts the power while the program works, and looks at what is on the disk: files can be read, nothing is lost that
# a command had reported as done, no id and no byte of pad is used twice, outputs are whole or absent, erased keys
# are gone.
#
#     scripts/power-cut.sh [--seconds N] [--file-system xfs|ext4|btrfs] [--seed N]
#
# The disk is a loop device over a file system in user space that records every write and flush. The disk after a cut
# is made from the record: all that was flushed, and of later writes none, all, or each 4 KiB at random. Half of the
# cuts are just after a command had ended or a sealed line had left. Then the same work is done without syncs, or
# without some of them, which must be found: if it is not, the script fails.
#
# --seconds (60) is for the rounds; preparing and the controls take some minutes more. Needs root, loop devices,
# FUSE, strace, python3 and mkfs of the file system. ORDERSEAL names the program; it is built otherwise.
set -euo pipefail
export LC_ALL=C.UTF-8

fail() { # MESSAGE HINT
    echo "power-cut.sh: error: $1" >&2
    echo "power-cut.sh: hint: $2" >&2
    exit 2
}

root=$(cd "$(dirname "$0")/.." && pwd)
seconds=60 system=xfs seed=$RANDOM
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?"--seconds needs a number"} ;;
        --file-system) system=${2:?"--file-system needs a name"} ;;
        --seed) seed=${2:?"--seed needs a number"} ;;
        *) fail "there is no option $1" "see the beginning of this script" ;;
    esac
    shift 2
done
[ "$(id -u)" = 0 ] || fail "mounting needs root" "run it as root, on a machine of your own"
for device in /dev/fuse /dev/loop-control; do
    [ -e $device ] || fail "there is no $device" "load the module, as with: modprobe fuse, modprobe loop"
done
for tool in strace python3 unshare "mkfs.$system"; do
    command -v "$tool" > /dev/null || fail "$tool was not found" "apt-get install strace xfsprogs btrfs-progs"
done
if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --locked --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL")

# In memory if possible: a disk that is only an image gains nothing from a real one.
place=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || place=/dev/shm
lab=$(mktemp -d "$place/orderseal-power-cut.XXXXXX")
trap 'rm -rf "$lab"' EXIT
# In a mount namespace of its own, so that no mount stays whatever happens.
unshare --mount --propagation private python3 -B "$root/scripts/power-cut/run.py" "$lab" "$ORDERSEAL" \
    --seconds "$seconds" --file-system "$system" --seed "$seed" --keep "${TMPDIR:-/tmp}/orderseal-power-cut"
