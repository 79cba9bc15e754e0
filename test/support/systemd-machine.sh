#!/bin/sh
# Becomes systemd, the first process of a machine on which hatoba is installed as the README says, and which runs
# nothing else. It is to be started in a cgroup, and in pid, mount and cgroup namespaces, of its own.
#
# The machine has this one's files, but what it writes is kept in memory: nothing of it reaches this machine.
#
#   systemd-machine.sh CHECKOUT
set -eu
checkout=$1

layers=/mnt
root=$layers/root
mount -t tmpfs tmpfs $layers
mkdir $layers/changes $layers/work $root
mount -t overlay -o "lowerdir=/,upperdir=$layers/changes,workdir=$layers/work" overlay $root

mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
mount -t tmpfs -o mode=755 tmpfs $root/dev
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty $root/dev
ln -s pts/ptmx $root/dev/ptmx
# Some of them are not of this machine alone, and systemd sets those that it likes to have otherwise.
mount --bind $root/proc/sys $root/proc/sys
mount -o remount,bind,ro $root/proc/sys
mkdir -p $root/opt/hatoba
mount --bind "$checkout" $root/opt/hatoba
mount -o remount,bind,ro $root/opt/hatoba

cd $root
pivot_root . mnt
cd /opt/hatoba
umount -l /mnt
# As on a machine that systemd has booted; where it sees a container, it leaves that to others.
mount --make-rshared /

ln -sf /opt/hatoba/bin/hatoba /usr/bin/hatoba
install -D -m 644 packaging/systemd/hatoba.sysusers /etc/sysusers.d/hatoba.conf
systemd-sysusers hatoba.conf

# What units of services and sockets are tied to by default, without what a machine does to come so far.
units=/run/units
mkdir $units
install -m 644 packaging/systemd/hatoba.service $units
for target in sysinit basic shutdown default; do
  printf '[Unit]\nDefaultDependencies=no\n' >$units/$target.target
done

export container=hatoba-test SYSTEMD_UNIT_PATH=$units
exec /lib/systemd/systemd --system --log-target=null --show-status=no
