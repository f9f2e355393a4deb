#!/bin/busybox sh
# Finds the root partition by its name in the GPT and goes there. Whatever fails ends in a restart,
# which is one try less of this slot.
b=/bin/busybox
$b mkdir -p /dev /proc /sys /newroot
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev 2> /dev/null

fail() {
    echo "<3>initrd: $1; starting again" > /dev/kmsg
    $b sleep 1
    $b reboot -f
}

label=
for word in $($b cat /proc/cmdline); do
    case $word in root=PARTLABEL=*) label=${word#root=PARTLABEL=} ;; esac
done
[ -n "$label" ] || fail "the command line has no root=PARTLABEL="
while read -r module; do
    $b insmod "/modules/$module" || echo "<3>initrd: $module is not loaded" > /dev/kmsg
done < /modules/order

tries=0
device=
while [ -z "$device" ]; do
    for file in /sys/class/block/*/uevent; do
        if $b grep -qx "PARTNAME=$label" "$file" 2> /dev/null; then
            device=$($b sed -n s/^DEVNAME=//p "$file")
        fi
    done
    [ -n "$device" ] && break
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "no partition is called $label"
    $b usleep 100000
done
$b mount -t squashfs -o ro "/dev/$device" /newroot || fail "$label on $device cannot be mounted"
[ -x /newroot/usr/lib/systemd/systemd ] || fail "$label on $device has no system"
$b mount --move /dev /newroot/dev
$b umount /proc /sys
exec $b switch_root /newroot /usr/lib/systemd/systemd
fail "$label on $device does not start"
